#include "checkers/models/total_order.h"

#include <algorithm>
#include <map>

#include "checkers/models/register_search.h"
#include "checkers/models/value_search.h"

namespace consistory {
namespace {

Serialisation session_ordered(const Resolved& resolved) {
  Serialisation problem(resolved);
  for (Point point = 0; point < resolved.size(); ++point) {
    problem.included[point] = true;
    problem.validated[point] = resolved[point].reads;
    const Point previous = resolved[point].previous;
    if (previous != kNoPoint) problem.require(previous, point, Why::session_order);
  }
  add_version_order(resolved, problem.order, 0);
  return problem;
}

/// Real time through a line of auxiliary nodes, one for each distinct completion: a -> its node ->
/// later nodes -> whatever is invoked strictly after. 2n edges instead of n².
void add_real_time(Serialisation& problem) {
  const Resolved& resolved = *problem.resolved;
  std::map<std::int64_t, Node> line;
  for (const ResolvedOperation& operation : resolved.points) {
    if (operation.complete != kNever) line.try_emplace(operation.complete, 0);
  }
  Node last = kNoPoint;
  for (auto& [stamp, node] : line) {
    node = problem.order.add_node();
    if (last != kNoPoint) problem.require(last, node, Why::real_time);
    last = node;
  }
  for (Point point = 0; point < resolved.size(); ++point) {
    const auto after = line.lower_bound(resolved[point].invoke);
    if (after != line.begin()) problem.require(std::prev(after)->second, point, Why::real_time);
    if (resolved[point].complete != kNever) {
      problem.require(point, line.at(resolved[point].complete), Why::real_time);
    }
  }
}

Decision decide_sequential(const Resolved& resolved, Budget& budget) {
  return solve(session_ordered(resolved), budget);
}

Decision decide_linearizable(const Resolved& resolved, Budget& budget) {
  Serialisation problem = session_ordered(resolved);
  add_real_time(problem);
  return solve(std::move(problem), budget);
}

/// Locality rests on session order being real time. Where a session completes and invokes at one
/// and the same stamp it is not (MODELS D15), and its keys cannot be judged apart.
bool has_ties_within_a_session(const History& history) {
  std::vector<std::int64_t> completed(history.sessions.size(), INT64_MIN);
  for (const Operation& operation : history.operations) {
    if (operation.outcome == Outcome::fail) continue;
    if (completed[operation.session] == operation.invoke) return true;
    if (!operation.is_info()) completed[operation.session] = operation.complete;
  }
  return false;
}

bool tells_versions(const History& history, const ResolveScope& scope) {
  return std::any_of(scope.operations.begin(), scope.operations.end(),
                     [&](OperationId id) { return history.operations[id].has_version(); });
}

/// What a search on values found; its only certificate is that it tried everything.
ModelVerdict verdict_of(Answer answer, const ResolveScope& scope, const Budget& budget) {
  if (answer == Answer::yes) return ModelVerdict::holds();
  if (answer == Answer::open) return out_of_budget(budget);
  Proof proof;
  proof.shape = ProofShape::exhaustion;
  proof.operations = scope.operations;
  return ModelVerdict::violated(std::move(proof));
}

/// Of the budget: one in this many for a search source by source.
constexpr std::uint64_t kShareOfSources = 4;

/// As judge_sequential().
std::optional<ModelVerdict> judge_repeating_list(const History& history, const ResolveScope& scope,
                                                 Budget& budget) {
  if (tells_versions(history, scope)) return std::nullopt;
  const std::uint64_t left = budget.limit() - std::min(budget.used(), budget.limit());
  Budget part(left / kShareOfSources);
  ModelVerdict verdict = judge_scope(history, scope, part, decide_linearizable);
  budget.spend(std::min(part.used(), part.limit()));
  if (verdict.verdict != Verdict::inconclusive) return verdict;
  return verdict_of(order_values(history, scope.operations, true, budget), scope, budget);
}

/// Where values of a register repeat, a search on values spares the choice of sources.
std::optional<ModelVerdict> judge_repeating_register(const History& history,
                                                     const ResolveScope& scope, Budget& budget) {
  const std::optional<ValueVersions> versions = tells_versions(history, scope)
                                                    ? versions_of_values(history, scope.operations)
                                                    : ValueVersions();
  if (!versions) return std::nullopt;
  return verdict_of(linearize_register(history, scope.operations, *versions, budget), scope,
                    budget);
}

std::optional<ModelVerdict> judge_repeating_key(const History& history, const ResolveScope& scope,
                                                Budget& budget) {
  if (scope.operations.empty() || !values_repeat(history, scope.operations)) return std::nullopt;
  const KeyId key = history.operations[scope.operations.front()].key;
  return history.is_list[key] ? judge_repeating_list(history, scope, budget)
                              : judge_repeating_register(history, scope, budget);
}

}  // namespace

void add_version_order(const Resolved& resolved, OrderGraph& graph, std::uint32_t round) {
  std::map<std::pair<KeyId, std::int64_t>, Point> by_version;
  for (Point point = 0; point < resolved.size(); ++point) {
    const ResolvedOperation& operation = resolved[point];
    if (operation.updates && operation.version)
      by_version[{operation.key, *operation.version}] = point;
  }
  for (auto next = by_version.begin(); next != by_version.end(); ++next) {
    const auto earlier = next == by_version.begin() ? by_version.end() : std::prev(next);
    if (earlier == by_version.end() || earlier->first.first != next->first.first) continue;
    graph.add({earlier->second, next->second, Why::version_order, UINT32_MAX, round});
  }
}

/// Source by source first, since that explains what it refutes; with some of the budget, where
/// values repeat and a search on values can follow.
ModelVerdict judge_sequential(const History& history, Budget& budget) {
  const ResolveScope scope = ordinary_scope(history);
  if (tells_versions(history, scope) || !values_repeat(history, scope.operations))
    return judge_history(history, budget, decide_sequential);
  Budget part(budget.limit() / kShareOfSources);
  ModelVerdict verdict = judge_history(history, part, decide_sequential);
  budget.spend(std::min(part.used(), part.limit()));
  if (verdict.verdict != Verdict::inconclusive) return verdict;
  return verdict_of(order_values(history, scope.operations, false, budget), scope, budget);
}

ModelVerdict judge_linearizable(const History& history, Budget& budget) {
  if (has_ties_within_a_session(history))
    return judge_history(history, budget, decide_linearizable);
  return judge_each_key(history, budget, decide_linearizable, judge_repeating_key);
}

ModelVerdict judge_cache(const History& history, Budget& budget) {
  return judge_each_key(history, budget, decide_sequential);
}

}  // namespace consistory
