#pragma once
// Parts of a history that may be judged apart, so that what is hard about one does not leave the
// rest undecided.

#include <vector>

#include "checkers/history/history.h"

namespace consistory {

/// The operations of the keys on which every value has one possible source, ascending. What they
/// violate by themselves the whole violates: leaving out a key is a safe deletion (MODELS §5).
std::vector<OperationId> operations_of_clear_keys(const History& history);

/// Operations that share no session and no key with those of another part; ascending, the parts by
/// their first. No model orders such parts against each other except by real time, so that a
/// history satisfies a model that does not look at real time exactly if every part does.
std::vector<std::vector<OperationId>> independent_parts(const History& history);

}  // namespace consistory
