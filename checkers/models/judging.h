#pragma once
// The existential quantifiers of MODELS §1.3 around a decision procedure for one resolved history.

#include <functional>

#include "checkers/models/verdict.h"
#include "checkers/order/serialisation.h"

namespace consistory {

using Decide = std::function<Decision(const Resolved&, Budget&)>;

/// holds iff some resolution of the ordinary operations satisfies `decide`.
ModelVerdict judge_history(const History& history, Budget& budget, const Decide& decide);
/// Another way to judge one key, tried first; none where it does not apply.
using Shortcut =
    std::function<std::optional<ModelVerdict>(const History&, const ResolveScope&, Budget&)>;

/// holds iff judge_history holds for each key's operations alone (local models).
ModelVerdict judge_each_key(const History& history, Budget& budget, const Decide& decide,
                            const Shortcut& shortcut = {});
/// What to say when a search used up its budget.
ModelVerdict out_of_budget(const Budget& budget);
/// The common part of both, for any scope.
ModelVerdict judge_scope(const History& history, const ResolveScope& scope, Budget& budget,
                         const Decide& decide);

}  // namespace consistory
