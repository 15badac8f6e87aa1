#pragma once
// Linearizability of one register whose values repeat, so that who read what is open: a search on
// values instead of sources (linearizer.h).

#include <map>
#include <optional>

#include "checkers/history/history.h"
#include "checkers/order/budget.h"
#include "checkers/order/serialisation.h"

namespace consistory {

/// Does some value of a key have several possible writers, or some read several possible sources?
bool values_repeat(const History& history, const std::vector<OperationId>& operations);

/// The version of each value that tells one: its update's own, or that of who read it.
using ValueVersions = std::map<ValueId, std::int64_t>;

/// Nothing where versions say more than an order of values that are written once: the same value
/// written twice, two versions of one value, one version of two, or a version of the
/// initial value.
std::optional<ValueVersions> versions_of_values(const History& history,
                                                const std::vector<OperationId>& operations);

/// `operations` are the key's, ascending. Real time alone orders them: session order must be part
/// of it; and versions ascend (none: nothing is known of them). Exponential in the number of
/// operations open at once.
Answer linearize_register(const History& history, const std::vector<OperationId>& operations,
                          const ValueVersions& versions, Budget& budget);

}  // namespace consistory
