#include "harness/run/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "harness/run/interrupt.h"
#include "harness/run/overall.h"
#include "harness/run/progress.h"
#include "harness/run/runner.h"
#include "harness/run/transaction_run.h"
#include "results/run_directory.h"

namespace consistory {
namespace {

Overall class_of(const Error& error) {
  return error.kind == ErrorKind::store ? Overall::store_failed : Overall::environment;
}
int exit_code_of(const Error& error) {
  if (error.kind == ErrorKind::internal) return 70;
  return error.kind == ErrorKind::store ? 3 : 69;
}

Result<RunRecord> perform(const RunPlan& plan, const RunDirectory& place, bool quiet) {
  if (plan.transactional()) {
    Result<TransactionRecord> record = perform_transaction_run(plan, place, quiet);
    if (!record) return record.error();
    return std::move(record->run);
  }
  Result<RunResult> result = perform_run(plan, place, quiet);
  if (!result) return result.error();
  return std::move(result->record);
}

CampaignRun run_cell(const CampaignCell& cell, const std::string& directory, bool quiet) {
  CampaignRun run{cell.row, cell.column, cell.seed, "", Overall::environment, 69, "", {}, false};
  RunArguments arguments = cell.arguments;
  arguments.out = directory + "/runs";
  const Result<RunPlan> plan = make_plan(arguments);
  CONSISTORY_CHECK(static_cast<bool>(plan), "a campaign's cell was checked when it was read");
  const Result<RunDirectory> place = RunDirectory::create(plan->out);
  const Result<RunRecord> result =
      place ? perform(*plan, *place, quiet) : Result<RunRecord>(place.error());
  if (place) run.directory = "runs/" + place->id();
  run.has_report = static_cast<bool>(result);
  if (!result) {
    run.word = class_of(result.error());
    run.exit_code = exit_code_of(result.error());
    run.sentence = result.error().message;
    return run;
  }
  const RunRecord& record = *result;
  run.word = record.overall.word;
  run.exit_code = record.overall.exit_code;
  run.sentence = record.overall.sentence;
  run.frontier = record.overall.frontier;
  return run;
}

Status save(const CampaignRecord& record, const std::string& directory) {
  if (Status written = write_file(directory + "/campaign.json", campaign_json(record)); !written)
    return written;
  return write_file(directory + "/index.html", campaign_html(record));
}

std::string campaigns_root(const std::string& out) {
  if (!out.empty()) return out;
  const char* root = std::getenv("CONSISTORY_RESULTS");
  return root != nullptr && *root != '\0' ? root : "results/runs";
}

}  // namespace

bool needs_sandbox(const Campaign& campaign) {
  return std::any_of(campaign.cells.begin(), campaign.cells.end(), [](const CampaignCell& cell) {
    const Result<RunPlan> plan = make_plan(cell.arguments);
    return plan && plan->ground == GroundChoice::sandbox;
  });
}

Result<CampaignResult> perform_campaign(const Campaign& campaign, const std::string& out,
                                        bool quiet) {
  Result<RunDirectory> directory = RunDirectory::create(campaigns_root(out));
  if (!directory) return directory.error();
  Progress progress(quiet);
  CampaignRecord record{directory->id(), campaign.name, campaign.file, 0, {}};
  for (const CampaignCell& cell : campaign.cells) {
    progress.event(fmt::format("run {} of {}: {} | {} | seed {}", record.runs.size() + 1,
                               campaign.cells.size(), cell.row, cell.column, cell.seed));
    record.runs.push_back(run_cell(cell, directory->path(), quiet));
    record.exit_code = worse_exit_code(record.exit_code, record.runs.back().exit_code);
    if (interrupts() > 0) record.exit_code = interrupt_exit_code();
    if (Status saved = save(record, directory->path()); !saved) return saved.error();
    if (interrupts() > 0) break;
  }
  return CampaignResult{std::move(record), directory->path()};
}

}  // namespace consistory
