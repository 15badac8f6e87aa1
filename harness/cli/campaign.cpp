// consistory campaign FILE: every combination of configurations, workloads, faults and seeds.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/escape.h"
#include "harness/cli/command.h"
#include "harness/run/campaign.h"
#include "harness/run/interrupt.h"
#include "harness/sandbox/enter.h"

namespace consistory {
namespace {

struct Options {
  std::string file;
  std::string out;
  bool json = false;
  bool quiet = false;
};

int act(const Options& options) {
  Result<Campaign> campaign = read_campaign(options.file);
  if (!campaign) return fail(campaign.error());
  if (needs_sandbox(*campaign)) {
    if (const Status inside = enter_sandbox(); !inside) return fail(inside.error());
  }
  install_interrupt_handlers();
  const Result<CampaignResult> result = perform_campaign(*campaign, options.out, options.quiet);
  if (!result) return fail(result.error());
  if (options.json) {
    std::fputs(campaign_json(result->record).c_str(), stdout);
    return result->record.exit_code;
  }
  for (const CampaignRun& run : result->record.runs) {
    std::printf("%-12s %s | %s | seed %llu: %s\n", std::string(name_of(run.word)).c_str(),
                run.row.c_str(), run.column.c_str(), static_cast<unsigned long long>(run.seed),
                escape_terminal(run.sentence).c_str());
  }
  for (const auto& [word, count] : count_classes(result->record)) {
    if (count > 0) std::printf("%zu %s\n", count, word.c_str());
  }
  std::printf("matrix: %s/index.html\n", result->directory.c_str());
  return result->record.exit_code;
}

}  // namespace

std::function<int()> define_campaign(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("file", options->file, "The campaign, as TOML")->required();
  app.add_option("-o,--out", options->out,
                 "The folder that holds campaigns (default: $CONSISTORY_RESULTS or results/runs)");
  app.add_flag("--json", options->json, "Print campaign.json instead of text");
  app.add_flag("-q,--quiet", options->quiet, "No progress on stderr");
  return [options] { return act(*options); };
}

}  // namespace consistory
