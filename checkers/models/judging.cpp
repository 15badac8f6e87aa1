#include "checkers/models/judging.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace consistory {
namespace {

/// What deciding one resolution costs at least, so that many of them end the budget in time.
constexpr std::uint64_t kStepsPerOperation = 40;

/// With several resolutions each fails for its own reason; the operations of all of them together
/// are where shrinking starts.
void merge(Proof& into, const Proof& from, bool first) {
  if (first) {
    into = from;
    return;
  }
  into.shape = ProofShape::exhaustion;
  into.cycle.clear();
  into.support.clear();
  std::set<OperationId> all(into.operations.begin(), into.operations.end());
  all.insert(from.operations.begin(), from.operations.end());
  into.operations.assign(all.begin(), all.end());
}

}  // namespace

ModelVerdict out_of_budget(const Budget& budget) {
  return ModelVerdict::inconclusive(fmt::format(
      "the search used up its budget of {} steps (--check-steps raises it)", budget.limit()));
}

ModelVerdict judge_scope(const History& history, const ResolveScope& scope, Budget& budget,
                         const Decide& decide) {
  bool holds = false;
  bool open = false;
  bool first = true;
  Proof proof;
  const ResolveResult result =
      for_each_resolution(history, scope, budget, [&](const Resolved& resolved) {
        if (!first && !budget.spend(kStepsPerOperation * resolved.size())) {
          open = true;
          return false;
        }
        const Decision decision = decide(resolved, budget);
        holds = decision.answer == Answer::yes;
        open = open || decision.answer == Answer::open;
        if (decision.answer == Answer::no) {
          merge(proof, decision.proof, first);
          if (decision.proof.cycle.empty() && first) proof.shape = ProofShape::exhaustion;
          first = false;
        }
        return !holds && !open;
      });
  if (holds) return ModelVerdict::holds();
  if (open || result.end == ResolveEnd::out_of_budget) return out_of_budget(budget);
  if (result.tried == 0) {
    proof.shape = ProofShape::thin_air;
    proof.operations = result.unexplained;
    std::sort(proof.operations.begin(), proof.operations.end());
  }
  return ModelVerdict::violated(std::move(proof));
}

ModelVerdict judge_history(const History& history, Budget& budget, const Decide& decide) {
  return judge_scope(history, ordinary_scope(history), budget, decide);
}

ModelVerdict judge_each_key(const History& history, Budget& budget, const Decide& decide,
                            const Shortcut& shortcut) {
  std::vector<ResolveScope> scopes(history.keys.size());
  for (OperationId id = 0; id < history.size(); ++id) {
    const Operation& operation = history.operations[id];
    if (!operation.local) scopes[operation.key].operations.push_back(id);
  }
  ModelVerdict open = ModelVerdict::holds();
  for (const ResolveScope& scope : scopes) {
    std::optional<ModelVerdict> quick;
    if (shortcut) quick = shortcut(history, scope, budget);
    ModelVerdict verdict = quick ? std::move(*quick) : judge_scope(history, scope, budget, decide);
    if (verdict.verdict == Verdict::violated) return verdict;
    if (verdict.verdict == Verdict::inconclusive) open = std::move(verdict);
  }
  return open;
}

}  // namespace consistory
