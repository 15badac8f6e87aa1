#include "checkers/sets/judge_sets.h"

#include "checkers/sets/set_order.h"

namespace consistory {
namespace {

Model with_order(Model model, SetOrderRules rules) {
  model.judge = [rules](const History& history, Budget&) {
    return judge_set_order(history, rules);
  };
  return model;
}

Model with_guarantees(Model model, GuaranteeSet set) {
  model.guarantees = set;
  model.judge = [set](const History& history, Budget& budget) {
    return judge_guarantees(history, budget, set);
  };
  return model;
}

}  // namespace

bool asks_for_one_order(const Model& model) {
  return model.name == "linearizable" || model.name == "sequential" || model.name == "cache";
}

std::optional<Model> model_for_sets(const Model& model) {
  constexpr auto kPram =
      static_cast<GuaranteeSet>(static_cast<unsigned>(Guarantee::monotonic_reads) |
                                static_cast<unsigned>(Guarantee::monotonic_writes) |
                                static_cast<unsigned>(Guarantee::read_your_writes));
  if (asks_for_one_order(model))
    return with_order(model, {model.name == "linearizable", model.name == "cache"});
  if (model.name.ends_with("-view")) return std::nullopt;
  if (model.name == "pram") return with_guarantees(model, kPram);
  if (model.name == "causal" || model.name == "weak-causal" || model.name == "causal-convergence")
    return with_guarantees(model, kAllGuarantees);
  return model;
}

}  // namespace consistory
