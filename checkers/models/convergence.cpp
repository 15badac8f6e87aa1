#include "checkers/models/convergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "checkers/models/total_order.h"

namespace consistory {
namespace {

bool is_final(const Operation& operation) {
  return operation.final && operation.function == Function::read &&
         operation.outcome == Outcome::ok;
}

bool stays(const Operation& operation) {
  return operation.outcome != Outcome::fail &&
         !(operation.is_info() && operation.function == Function::read);
}

/// Updates and final reads; with `all_reads`, every read, local ones too.
ResolveScope quiescent_scope(const History& history, bool all_reads) {
  ResolveScope scope;
  for (OperationId id = 0; id < history.size(); ++id) {
    const Operation& operation = history.operations[id];
    if (all_reads || operation.updates() || is_final(operation)) scope.operations.push_back(id);
  }
  return scope;
}

std::vector<OperationId> final_reads(const History& history) {
  std::vector<OperationId> finals;
  for (OperationId id = 0; id < history.size(); ++id) {
    if (is_final(history.operations[id])) finals.push_back(id);
  }
  return finals;
}

std::set<NodeId> replicas(const History& history, const std::vector<OperationId>& finals) {
  std::set<NodeId> nodes;
  for (std::size_t i = 0; i < history.replica_count; ++i) nodes.insert(static_cast<NodeId>(i));
  if (!nodes.empty()) return nodes;
  for (const OperationId id : finals) nodes.insert(history.operations[id].node);
  return nodes;
}

/// Why the final reads do not cover every (key, node); empty if they do.
std::string coverage_gap(const History& history, const std::vector<OperationId>& finals) {
  if (finals.empty()) return "the history has no final reads";
  std::set<KeyId> keys;
  std::set<std::pair<KeyId, NodeId>> covered;
  for (const Operation& operation : history.operations) {
    if (stays(operation) && operation.updates()) keys.insert(operation.key);
  }
  for (const OperationId id : finals) {
    keys.insert(history.operations[id].key);
    covered.insert({history.operations[id].key, history.operations[id].node});
  }
  const std::set<NodeId> nodes = replicas(history, finals);
  const std::size_t wanted = keys.size() * nodes.size();
  std::size_t missing = wanted;
  for (const auto& [key, node] : covered) missing -= nodes.contains(node) ? 1 : 0;
  if (missing == 0) return {};
  return fmt::format("{} of {} (key, node) pairs have no final read", missing, wanted);
}

/// ec for one resolution: an order graph in which each final read comes after everything that must
/// have arrived. Violations that need no search for a cycle are closed at once.
class Arrival {
 public:
  explicit Arrival(const Resolved& resolved) : resolved_(resolved), graph_(resolved.size()) {
    for (Point point = 0; point < resolved.size(); ++point) {
      const ResolvedOperation& operation = resolved[point];
      const Operation& source = resolved.history->operations[operation.id];
      if (operation.updates && (resolved.history->settled || !operation.info)) {
        must_[operation.key].push_back(point);
      }
      if (is_final(source)) finals_.push_back(point);
      if (operation.updates && operation.reads) {
        for (const Point from : operation.sources) {
          graph_.add({from, point, Why::swaps_over, UINT32_MAX, 0});
        }
      }
    }
  }

  Decision decide() {
    std::map<KeyId, std::vector<Point>> list_readers;
    for (const Point reader : finals_) {
      if (resolved_[reader].list) list_readers[resolved_[reader].key].push_back(reader);
      if (!judge_final(reader)) return {Answer::no, std::move(proof_)};
    }
    ListEdges lists(resolved_, graph_, 0);
    for (const auto& [key, readers] : list_readers) lists.add_chains(readers);
    add_version_order(resolved_, graph_, 0);
    if (graph_.topological_order()) return {Answer::yes, {}};
    return {Answer::no,
            unfold_cycle(graph_, graph_.find_cycle(), ids_of(resolved_, graph_.size()))};
  }

 private:
  bool judge_final(Point reader) {
    const ResolvedOperation& operation = resolved_[reader];
    const std::vector<Point>& must = must_[operation.key];
    if (operation.list) {
      const std::set<Point> present(operation.sources.begin(), operation.sources.end());
      for (const Point update : must) {
        if (!present.contains(update)) return refute(update, reader, Why::list_lacks);
      }
      return true;
    }
    if (operation.sources.empty()) {
      return must.empty() || refute(must.back(), reader, Why::reads_initial);
    }
    const Point winner = operation.sources[0];
    if (!winners_.insert(winner).second) return true;
    for (const Point update : must) {
      if (update != winner) graph_.add({update, winner, Why::visible_earlier, reader, 1});
    }
    return true;
  }

  /// `update` arrived everywhere before the final read, which came before it.
  bool refute(Point update, Point reader, Why why) {
    const OperationId from = resolved_[update].id;
    const OperationId to = resolved_[reader].id;
    proof_.cycle = {{from, to, Why::arrived, std::nullopt}, {to, from, why, std::nullopt}};
    proof_.operations = {std::min(from, to), std::max(from, to)};
    return false;
  }

  const Resolved& resolved_;
  OrderGraph graph_;
  std::map<KeyId, std::vector<Point>> must_;
  std::vector<Point> finals_;
  std::set<Point> winners_;
  Proof proof_;
};

Decision decide_arrival(const Resolved& resolved, Budget&) { return Arrival(resolved).decide(); }

Proof disagreement(OperationId a, OperationId b) {
  Proof proof;
  proof.shape = ProofShape::disagree;
  proof.operations = {std::min(a, b), std::max(a, b)};
  return proof;
}

/// Two list reads with the same elements in another order, if any.
std::optional<Proof> same_elements_other_order(const Resolved& resolved) {
  std::map<std::pair<KeyId, std::vector<Point>>, Point> first;
  for (Point point = 0; point < resolved.size(); ++point) {
    const ResolvedOperation& operation = resolved[point];
    if (!operation.reads || !operation.list) continue;
    std::vector<Point> elements = operation.sources;
    std::sort(elements.begin(), elements.end());
    const auto [seen, added] = first.try_emplace({operation.key, std::move(elements)}, point);
    if (!added && resolved[seen->second].sources != operation.sources) {
      return disagreement(resolved[seen->second].id, operation.id);
    }
  }
  return std::nullopt;
}

bool same_state(const History& history, const Operation& a, const Operation& b) {
  const auto left = history.elements_of(a);
  const auto right = history.elements_of(b);
  return a.value == b.value && std::equal(left.begin(), left.end(), right.begin(), right.end());
}

std::optional<Proof> final_disagreement(const History& history,
                                        const std::vector<OperationId>& finals) {
  std::map<KeyId, OperationId> first;
  for (const OperationId id : finals) {
    const auto [seen, added] = first.try_emplace(history.operations[id].key, id);
    const bool agrees =
        added || same_state(history, history.operations[seen->second], history.operations[id]);
    if (!agrees) return disagreement(seen->second, id);
  }
  return std::nullopt;
}

/// `verdict` if it refutes or stays open; else holds, or not-checked where coverage is missing.
ModelVerdict with_coverage(const History& history, ModelVerdict verdict) {
  if (verdict.verdict != Verdict::holds) return verdict;
  std::string gap = coverage_gap(history, final_reads(history));
  return gap.empty() ? std::move(verdict) : ModelVerdict::not_checked(std::move(gap));
}

ModelVerdict uncovered_eventual(const History& history, Budget& budget) {
  return judge_scope(history, quiescent_scope(history, false), budget, decide_arrival);
}

}  // namespace

std::string coverage_gap(const History& history) {
  return coverage_gap(history, final_reads(history));
}

ModelVerdict judge_read_values(const History& history, Budget& budget) {
  return judge_history(history, budget, [](const Resolved&, Budget&) {
    return Decision{Answer::yes, {}};
  });
}

ModelVerdict judge_convergence(const History& history, Budget& budget) {
  const std::vector<OperationId> finals = final_reads(history);
  if (finals.empty()) return ModelVerdict::not_checked(coverage_gap(history, finals));
  ResolveScope scope = quiescent_scope(history, false);
  scope.ignore_cas_reads = true;
  ModelVerdict explained = judge_scope(history, scope, budget, [](const Resolved&, Budget&) {
    return Decision{Answer::yes, {}};
  });
  if (explained.verdict != Verdict::holds) return explained;
  if (auto proof = final_disagreement(history, finals)) {
    if (history.settled) return ModelVerdict::violated(std::move(*proof));
    ModelVerdict eventual = uncovered_eventual(history, budget);
    if (eventual.verdict == Verdict::violated) return ModelVerdict::violated(std::move(*proof));
    if (eventual.verdict != Verdict::holds) return eventual;
  }
  return with_coverage(history, ModelVerdict::holds());
}

ModelVerdict judge_eventual(const History& history, Budget& budget) {
  if (final_reads(history).empty()) return ModelVerdict::not_checked(coverage_gap(history, {}));
  return with_coverage(history, uncovered_eventual(history, budget));
}

ModelVerdict judge_strong_eventual(const History& history, Budget& budget) {
  if (final_reads(history).empty()) return ModelVerdict::not_checked(coverage_gap(history, {}));
  ModelVerdict eventual = uncovered_eventual(history, budget);
  if (eventual.verdict == Verdict::violated) return eventual;
  return with_coverage(history, judge_scope(history, quiescent_scope(history, true), budget,
                                            [](const Resolved& resolved, Budget& steps) {
                                              Decision decision = decide_arrival(resolved, steps);
                                              if (decision.answer != Answer::yes) return decision;
                                              if (auto proof = same_elements_other_order(resolved))
                                                return Decision{Answer::no, std::move(*proof)};
                                              return decision;
                                            }));
}

}  // namespace consistory
