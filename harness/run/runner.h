#pragma once
// One run: start the nodes, load under faults, heal, settle, final reads, check, report.

#include "harness/run/plan.h"
#include "results/run_record.h"

namespace consistory {

struct RunResult {
  RunRecord record;
  std::string directory;
};

/// Performs the run and writes its directory. An Error means that there is no run to speak of (the
/// results directory cannot be written, a port is in use, the store never came up).
Result<RunResult> perform_run(const RunPlan& plan, bool quiet);

/// Judges the record's history, decides the overall verdict and measures the rest.
void examine(RunRecord& record, const JudgeOptions& options,
             const std::vector<std::string>& required_by_user);

}  // namespace consistory
