#pragma once
// Which faults a run has, and when: from --fault, or from the file of --schedule.

#include "harness/run/plan.h"
#include "harness/run/problem.h"

namespace consistory {

/// Fills in plan.faults and plan.schedule. Wants plan.store, plan.nodes, plan.duration and
/// plan.seed. What this machine, the store or the number of nodes cannot do is a problem, but "all"
/// leaves it out.
void choose_faults(const RunArguments& arguments, RunPlan& plan, Problem& problem);

/// Of a TOML file: [[fault]] tables with `fault`, `at` and `for`. Errors have line and column.
Result<std::vector<PlannedFault>> read_schedule(const std::string& path);

}  // namespace consistory
