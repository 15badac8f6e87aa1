#pragma once
// One run: start the nodes, load under faults, heal, settle, final reads, check, report.

#include "harness/run/plan.h"
#include "results/run_directory.h"
#include "results/run_record.h"

namespace consistory {

struct RunResult {
  RunRecord record;
};

/// Performs the run and writes its files into `directory`. An Error means that there is no run to
/// speak of (a port is in use, the store never came up); run.json says so too.
Result<RunResult> perform_run(const RunPlan& plan, const RunDirectory& directory, bool quiet);

/// Judges the record's history by its models_judged and check_steps, decides the overall verdict
/// and measures the rest.
void examine(RunRecord& record);

}  // namespace consistory
