#pragma once
// One session guarantee per session view (MODELS §3.6, scope V): for stores without a version
// order.

#include "checkers/models/guarantees.h"
#include "checkers/models/judging.h"

namespace consistory {

/// For each session: one sequence of all updates and its own reads, each read correct, own reads
/// before own later updates, and the guarantee's half of session order kept.
ModelVerdict judge_guarantee_view(const History& history, Budget& budget, Guarantee guarantee);

}  // namespace consistory
