// Weak causal consistency and causal convergence, by bad patterns (Bouajjani, Enea, Guerraoui,
// Hamza 2017): given the updates of a key in a read's causal past, the read's source must not be
// causally overwritten (WriteCORead, WriteCOInitRead); for convergence the arbitration edges that
// all reads imply together must be acyclic (CyclicCF). Lists: the elements are the appends of the
// past.
#include "checkers/models/causal.h"

#include <algorithm>
#include <map>

#include "checkers/models/total_order.h"
#include "checkers/order/key_past.h"

namespace consistory {
namespace {

class CausalPast {
 public:
  explicit CausalPast(const Resolved& resolved)
      : resolved_(resolved), graph_(causal_order(resolved)), keys_(key_columns(resolved)) {
    for (Point point = 0; point < resolved.size(); ++point) {
      if (resolved[point].reads) readers_[resolved[point].key].push_back(point);
    }
  }

  Decision decide(bool converge) {
    const auto order = graph_.topological_order();
    if (!order) return refuted_by_cycle();
    rank_.assign(graph_.size(), 0);
    for (std::size_t i = 0; i < order->size(); ++i) rank_[(*order)[i]] = static_cast<Node>(i);
    for_each_key_block(graph_, *order, keys_, [&](const KeyPast& past) {
      for (std::size_t key = 0; key < past.key_count() && !refutation_; ++key) {
        for (const Point reader : readers_[past.columns(key).key]) {
          if (!refutation_) judge_read(past, key, reader, converge);
        }
      }
      return !refutation_;
    });
    if (refutation_) return {Answer::no, std::move(*refutation_)};
    if (!converge) return {Answer::yes, {}};
    return decide_arbitration();
  }

 private:
  Decision refuted_by_cycle() {
    return {Answer::no,
            unfold_cycle(graph_, graph_.find_cycle(), ids_of(resolved_, graph_.size()))};
  }

  void judge_read(const KeyPast& past, std::size_t key, Point reader, bool converge) {
    if (resolved_[reader].list) {
      judge_list_read(past, key, reader);
    } else if (resolved_[reader].sources.empty()) {
      judge_initial_read(past, key, reader);
    } else {
      judge_register_read(past, key, reader, converge);
    }
  }

  /// Closes the path from -> … -> to with the edge to -> from.
  void refute(Node from, Node to, Why why, Node because = UINT32_MAX) {
    std::vector<EdgeId> cycle = graph_.find_path(from, to);
    graph_.add({to, from, why, because, 1});
    cycle.push_back(static_cast<EdgeId>(graph_.edges().size() - 1));
    refutation_ = unfold_cycle(graph_, cycle, ids_of(resolved_, graph_.size()));
  }

  void judge_initial_read(const KeyPast& past, std::size_t key, Point reader) {
    for_each_bit(past.before(key, reader), [&](std::size_t i) {
      if (!refutation_) refute(past.columns(key).updates[i], reader, Why::reads_initial);
    });
  }

  void judge_register_read(const KeyPast& past, std::size_t key, Point reader, bool converge) {
    const std::vector<Node>& updates = past.columns(key).updates;
    const Point source = resolved_[reader].sources[0];
    const auto own = static_cast<std::size_t>(
        std::lower_bound(updates.begin(), updates.end(), source) - updates.begin());
    std::vector<std::size_t> others;
    for_each_bit(past.before(key, reader), [&](std::size_t i) {
      if (i != own) others.push_back(i);
    });
    for (const std::size_t i : others) {
      if (!test(past.before(key, updates[i]), own)) continue;
      return refute(source, updates[i], Why::overwritten, reader);
    }
    if (converge) arbitrate(past, key, reader, others);
  }

  /// Each update of the past precedes the source; the causally latest of them suffice.
  void arbitrate(const KeyPast& past, std::size_t key, Point reader,
                 std::vector<std::size_t> others) {
    const std::vector<Node>& updates = past.columns(key).updates;
    const Point source = resolved_[reader].sources[0];
    Bits& covered = covered_[source];
    covered.resize(past.columns(key).words());
    std::sort(others.begin(), others.end(),
              [&](std::size_t a, std::size_t b) { return rank_[updates[a]] > rank_[updates[b]]; });
    const std::span<const Word> known = past.before(key, source);
    for (const std::size_t i : others) {
      if (test(covered, i) || test(known, i)) continue;
      const std::span<const Word> implied = past.before(key, updates[i]);
      for (std::size_t w = 0; w < covered.size(); ++w) covered[w] |= implied[w];
      set(covered, i);
      arbitration_.push_back({updates[i], source, Why::overwritten, reader, 1});
    }
  }

  void judge_list_read(const KeyPast& past, std::size_t key, Point reader) {
    const std::vector<Node>& updates = past.columns(key).updates;
    const std::vector<Point>& list = resolved_[reader].sources;
    std::vector<std::size_t> columns;
    Bits present(past.columns(key).words());
    for (const Point append : list) {
      columns.push_back(static_cast<std::size_t>(
          std::lower_bound(updates.begin(), updates.end(), append) - updates.begin()));
      set(present, columns.back());
    }
    for_each_bit(past.before(key, reader), [&](std::size_t i) {
      if (!refutation_ && !test(present, i)) refute(updates[i], reader, Why::list_lacks);
    });
    Bits later(present.size());
    for (std::size_t i = list.size(); i-- > 0 && !refutation_;) {
      const std::span<const Word> before = past.before(key, list[i]);
      if (intersects(before, later)) refute_list_order(before, columns, list, i, reader);
      set(later, columns[i]);
    }
  }

  static bool intersects(std::span<const Word> a, const Bits& b) {
    for (std::size_t w = 0; w < b.size(); ++w) {
      if ((a[w] & b[w]) != 0) return true;
    }
    return false;
  }

  void refute_list_order(std::span<const Word> before, const std::vector<std::size_t>& columns,
                         const std::vector<Point>& list, std::size_t i, Point reader) {
    for (std::size_t j = i + 1; j < list.size() && !refutation_; ++j) {
      if (test(before, columns[j])) refute(list[j], list[i], Why::list_order, reader);
    }
  }

  Decision decide_arbitration() {
    for (const Edge& edge : arbitration_) graph_.add(edge);
    ListEdges lists(resolved_, graph_, 1);
    for (const auto& [key, readers] : readers_) {
      if (resolved_.history->is_list[key]) lists.add_chains(readers);
    }
    add_version_order(resolved_, graph_, 1);
    if (graph_.topological_order()) return {Answer::yes, {}};
    return refuted_by_cycle();
  }

  const Resolved& resolved_;
  OrderGraph graph_;
  std::vector<KeyColumns> keys_;
  std::map<KeyId, std::vector<Point>> readers_;
  std::vector<Node> rank_;
  std::map<Point, Bits> covered_;
  std::vector<Edge> arbitration_;
  std::optional<Proof> refutation_;
};

}  // namespace

OrderGraph causal_order(const Resolved& resolved) {
  OrderGraph graph(resolved.size());
  for (Point point = 0; point < resolved.size(); ++point) {
    const ResolvedOperation& operation = resolved[point];
    if (operation.previous != kNoPoint) {
      graph.add({operation.previous, point, Why::session_order, UINT32_MAX, 0});
    }
    for (const Point source : operation.sources) {
      graph.add({source, point, Why::reads_from, UINT32_MAX, 0});
    }
  }
  return graph;
}

ModelVerdict judge_weak_causal(const History& history, Budget& budget) {
  return judge_history(history, budget, [](const Resolved& resolved, Budget&) {
    return CausalPast(resolved).decide(false);
  });
}

ModelVerdict judge_causal_convergence(const History& history, Budget& budget) {
  return judge_history(history, budget, [](const Resolved& resolved, Budget&) {
    return CausalPast(resolved).decide(true);
  });
}

}  // namespace consistory
