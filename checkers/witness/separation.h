#pragma once
// What tells two models apart: a small history that one allows and the other forbids, found by
// trying small random histories, plainer and shorter ones first, and leaving out what is not
// needed. The seed is fixed: the same answer every time. For `explain`.

#include <optional>

#include "checkers/models/registry.h"

namespace consistory {

/// A history of at most 8 operations that `violated` forbids and every one of `holding` allows;
/// none if some 200,000 tries find none. No operation of it can be left out.
std::optional<History> separating_history(const std::vector<const Model*>& holding,
                                          const Model& violated);

/// The models that imply `model` with none between, and those that it implies so.
std::vector<const Model*> nearest_stronger(const Model& model);
std::vector<const Model*> nearest_weaker(const Model& model);

}  // namespace consistory
