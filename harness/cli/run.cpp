// consistory run: the main job.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/run_options.h"
#include "harness/run/interrupt.h"
#include "harness/run/runner.h"
#include "harness/run/transaction_run.h"
#include "harness/sandbox/enter.h"
#include "results/json_files.h"
#include "results/terminal.h"

namespace consistory {
namespace {

struct Options {
  RunArguments arguments;
  bool json = false;
  bool quiet = false;
};

int act_on_transactions(const RunPlan& plan, const RunDirectory& directory,
                        const Options& options) {
  const Result<TransactionRecord> record = perform_transaction_run(plan, directory, options.quiet);
  if (!record) return fail(record.error());
  const std::string text = options.json
                               ? transaction_run_json(*record)
                               : transaction_run_text(*record, directory.file("report.html"));
  std::fputs(text.c_str(), stdout);
  return record->run.overall.exit_code;
}

int act(const Options& options) {
  const Result<RunPlan> plan = make_plan(options.arguments);
  if (!plan) return fail(plan.error());
  if (plan->ground == GroundChoice::sandbox) {
    if (const Status inside = enter_sandbox(); !inside) return fail(inside.error());
  }
  install_interrupt_handlers();
  const Result<RunDirectory> directory = RunDirectory::create(plan->out);
  if (!directory) return fail(directory.error());
  if (plan->transactional()) return act_on_transactions(*plan, *directory, options);
  const Result<RunResult> result = perform_run(*plan, *directory, options.quiet);
  if (!result) return fail(result.error());
  const std::string text =
      options.json
          ? verdict_json(result->record)
          : terminal_text(result->record, directory->file("report.html"), {stdout_takes_colour()});
  std::fputs(text.c_str(), stdout);
  return result->record.overall.exit_code;
}

}  // namespace

std::function<int()> define_run(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_run_options(app, options->arguments);
  app.add_flag("--json", options->json, "Print verdict.json instead of text")->group("Output");
  app.add_flag("-q,--quiet", options->quiet, "No progress on stderr")->group("Output");
  return [options] { return act(*options); };
}

}  // namespace consistory
