#pragma once
// Linearizability of one register whose values repeat, so that who read what is open: a search on
// values instead of sources (linearizer.h).

#include "checkers/history/history.h"
#include "checkers/order/budget.h"
#include "checkers/order/serialisation.h"

namespace consistory {

/// Does some value of a key have several possible writers, or some read several possible sources?
bool values_repeat(const History& history, const std::vector<OperationId>& operations);

/// `operations` are the key's, ascending. Real time alone orders them: session order must be part
/// of it. No versions. Exponential in the number of operations open at once.
Answer linearize_register(const History& history, const std::vector<OperationId>& operations,
                          Budget& budget);

}  // namespace consistory
