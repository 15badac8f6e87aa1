// consistory selftest: the harness against the truth table of the reference store.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "base/duration.h"
#include "harness/cli/command.h"
#include "harness/run/interrupt.h"
#include "harness/run/selftest.h"
#include "results/run_directory.h"

namespace consistory {
namespace {

struct Options {
  SelftestOptions selftest;
  std::string duration = "5s";
  bool json = false;
  bool quick = false;
};

/// Few seeds and short runs of some cells of each protocol: the part that fits into every build.
void make_quick(Options& options) {
  options.selftest.quick = true;
  options.selftest.seeds = 1;
  options.selftest.defect_seeds = 4;
  options.duration = "4s";
}

int act(Options& options) {
  options.selftest.defect_seeds = options.selftest.seeds;
  if (options.quick) make_quick(options);
  if (options.selftest.sandbox) options.selftest.defects = false;
  const Result<Nanos> duration = parse_duration(options.duration);
  if (!duration) return fail(usage_error("--duration: " + duration.error().message));
  if (*duration < kSecond || *duration > 8 * kSecond)
    return fail(usage_error("--duration must lie between 1s and 8s"));
  options.selftest.duration = *duration;
  install_interrupt_handlers();
  set_cleanup_pending(true);
  const Result<SelftestResult> result = perform_selftest(options.selftest);
  if (!result) return fail(result.error());
  const std::string& out = options.selftest.out;
  for (const auto& [name, text] : {std::pair{"/selftest.json", selftest_json(*result)},
                                   {"/selftest.md", selftest_markdown(*result)}}) {
    if (Status written = write_file(out + name, text); !written) return fail(written.error());
  }
  std::fputs(options.json ? selftest_json(*result).c_str() : selftest_summary(*result).c_str(),
             stdout);
  if (!options.json) std::printf("table: %s/selftest.md\n", out.c_str());
  if (result->interrupted) return interrupt_exit_code();
  return result->perfect() ? 0 : 1;
}

}  // namespace

std::function<int()> define_selftest(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  SelftestOptions& selftest = options->selftest;
  app.add_flag("--quick", options->quick, "A few cells of every protocol, in three minutes");
  app.add_flag("--sandbox", selftest.sandbox,
               "Every cell in the sandbox, under every fault: there must be no false alarm");
  app.add_option("--only", selftest.only, "Cells and defects whose name has this in it");
  app.add_flag("!--no-cells", selftest.cells, "Defects only");
  app.add_flag("!--no-defects", selftest.defects, "Cells only");
  app.add_option("--seeds", selftest.seeds, "Runs of each cell, and at most of each defect")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--first-seed", selftest.first_seed, "The seeds count from here")
      ->capture_default_str();
  app.add_option("-d,--duration", options->duration, "Load of each run")->capture_default_str();
  app.add_option("-j,--jobs", selftest.jobs, "Runs at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("-o,--out", selftest.out,
                 "Folder of the results; what stands there is not run again")
      ->capture_default_str();
  app.add_flag("--json", options->json, "Print selftest.json instead of a summary");
  app.add_flag("-q,--quiet", selftest.quiet, "No progress on stderr");
  return [options] { return act(*options); };
}

}  // namespace consistory
