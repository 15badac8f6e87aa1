#pragma once
// The verdict on a run from the verdicts on its models: what was promised, what was expected, and
// whether the run could have failed at all (DESIGN §4.4, §4.5; exit codes of UX §2.2).

#include "results/run_record.h"

namespace consistory {

/// Fills run.required and run.overall from the rest of the record.
void decide_overall(RunRecord& run);

/// Which of two exit codes a campaign, or a check of several files, ends with: a violation is never
/// masked by anything.
int worse_exit_code(int a, int b);

}  // namespace consistory
