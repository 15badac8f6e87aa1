#pragma once
// One session guarantee, one order of updates per session (MODELS §3.6, scope V), on plain
// registers: keys are then independent of each other, and each question is a pass over a session's
// operations.

#include "checkers/fast/finding.h"
#include "checkers/models/guarantees.h"

namespace consistory {

/// Declines lists and cas, and read your writes where a session reads its own indeterminate update.
Finding decide_guarantee_view(const Trace& trace, Guarantee guarantee);

}  // namespace consistory
