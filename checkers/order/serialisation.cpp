#include "checkers/order/serialisation.h"

#include <algorithm>
#include <map>
#include <set>

#include "checkers/order/key_past.h"
#include "checkers/order/search.h"

namespace consistory {
namespace {

class Saturation {
 public:
  explicit Saturation(Serialisation& problem)
      : problem_(problem),
        resolved_(*problem.resolved),
        graph_(problem.order),
        readers_(resolved_.size()) {
    for (Point point = 0; point < resolved_.size(); ++point) {
      if (problem.included[point] && problem.validated[point]) add_reader(point);
    }
    for (KeyColumns& key : key_columns(resolved_)) {
      std::erase_if(key.updates, [&](Node update) { return !problem.included[update]; });
      if (!key.updates.empty()) keys_.push_back(std::move(key));
    }
    add_list_edges();
    std::erase_if(keys_,
                  [&](const KeyColumns& key) { return !register_readers_.contains(key.key); });
  }

  /// no, with a proof; or open: saturated without a contradiction.
  Decision run() {
    for (;; ++round_) {
      const auto order = graph_.topological_order();
      if (!order) {
        const std::vector<EdgeId> cycle = graph_.find_cycle();
        return {Answer::no, unfold_cycle(graph_, cycle, ids_of(resolved_, graph_.size()))};
      }
      rank_.assign(graph_.size(), 0);
      for (std::size_t i = 0; i < order->size(); ++i) rank_[(*order)[i]] = static_cast<Node>(i);
      const std::size_t edges_before = graph_.edges().size();
      decided_ = true;
      for_each_key_block(graph_, *order, keys_, [&](const KeyPast& past) {
        for (std::size_t key = 0; key < past.key_count(); ++key) saturate(past, key);
        return true;
      });
      if (graph_.edges().size() == edges_before) return {Answer::open, {}};
    }
  }

  bool every_pair_is_decided() const { return decided_; }

 private:
  void add_reader(Point reader) {
    const ResolvedOperation& operation = resolved_[reader];
    for (const Point source : operation.sources) {
      if (!operation.list) readers_[source].push_back(reader);
    }
    if (operation.list) {
      list_readers_[operation.key].push_back(reader);
      if (!operation.sources.empty()) {
        graph_.add({operation.sources.back(), reader, Why::reads_from, UINT32_MAX, 0});
      }
      return;
    }
    register_readers_[operation.key].push_back(reader);
    for (const Point source : operation.sources) {
      graph_.add({source, reader, Why::reads_from, UINT32_MAX, 0});
    }
  }

  void add_list_edges() {
    ListEdges edges(resolved_, graph_, 0);
    for (const auto& [key, readers] : list_readers_) {
      edges.add_chains(readers);
      for (const KeyColumns& columns : keys_) {
        if (columns.key == key) edges.add_lacks(readers, columns.updates);
      }
    }
  }

  void saturate(const KeyPast& past, std::size_t key) {
    const KeyColumns& columns = past.columns(key);
    std::map<Node, std::size_t> column;
    for (std::size_t i = 0; i < columns.updates.size(); ++i) column[columns.updates[i]] = i;
    std::map<Point, Bits> pending;  // per source: what this round already put before it
    for (const Point reader : register_readers_[columns.key]) {
      check_time();
      if (resolved_[reader].sources.empty()) {
        put_initial_read(past, key, reader);
      } else {
        put_before_source(past, key, reader, column, pending[resolved_[reader].sources[0]]);
      }
    }
    if (problem_.reads_are_a_chain) return;
    for (std::size_t i = 0; i < columns.updates.size(); ++i) put_readers_before(past, key, i);
    note_undecided(past, key);
  }

  /// source(r) = INIT: r precedes every update of the key; those without an earlier one suffice.
  void put_initial_read(const KeyPast& past, std::size_t key, Point reader) {
    const KeyColumns& columns = past.columns(key);
    const std::span<const Word> earlier = past.before(key, reader);
    for (std::size_t i = 0; i < columns.updates.size(); ++i) {
      const Node update = columns.updates[i];
      if (update == reader) continue;
      const bool first = !any(past.before(key, update));
      if (first || test(earlier, i)) derive(reader, update, Why::reads_initial, UINT32_MAX);
    }
  }

  /// w' < r: w' < source(r). Only the latest such w' need an edge of their own.
  void put_before_source(const KeyPast& past, std::size_t key, Point reader,
                         const std::map<Node, std::size_t>& column, Bits& pending) {
    const KeyColumns& columns = past.columns(key);
    const Point source = resolved_[reader].sources[0];
    const std::span<const Word> earlier = past.before(key, reader);
    const std::span<const Word> known = past.before(key, source);
    pending.resize(columns.words());
    Bits fresh(earlier.begin(), earlier.end());
    for (std::size_t w = 0; w < fresh.size(); ++w) fresh[w] &= ~(known[w] | pending[w]);
    const std::size_t own = column.at(source);
    fresh[own / 64] &= ~(Word{1} << (own % 64));
    if (!any(fresh)) return;
    for (const std::size_t i : latest_first(fresh, columns)) {
      if (!test(fresh, i)) continue;
      const std::span<const Word> implied = past.before(key, columns.updates[i]);
      for (std::size_t w = 0; w < fresh.size(); ++w) {
        fresh[w] &= ~implied[w];
        pending[w] |= implied[w];
      }
      set(pending, i);
      derive(columns.updates[i], source, Why::overwritten, reader);
    }
  }

  /// w < w': every reader of w precedes w'. Only the latest such w need edges of their own.
  void put_readers_before(const KeyPast& past, std::size_t key, std::size_t later) {
    const KeyColumns& columns = past.columns(key);
    const Node update = columns.updates[later];
    const std::span<const Word> earlier = past.before(key, update);
    Bits rest(earlier.begin(), earlier.end());
    if (!any(rest)) return;
    for (const std::size_t i : latest_first(rest, columns)) {
      if (!test(rest, i)) continue;
      const std::span<const Word> implied = past.before(key, columns.updates[i]);
      for (std::size_t w = 0; w < rest.size(); ++w) rest[w] &= ~implied[w];
      for (const Point reader : readers_[columns.updates[i]]) {
        if (reader != update) derive(reader, update, Why::read_before, columns.updates[i]);
      }
    }
  }

  void note_undecided(const KeyPast& past, std::size_t key) {
    const KeyColumns& columns = past.columns(key);
    std::vector<std::size_t> ordered(columns.updates.size(), 0);
    for (std::size_t i = 0; i < columns.updates.size(); ++i) {
      for_each_bit(past.before(key, columns.updates[i]), [&](std::size_t earlier) {
        ++ordered[i];
        ++ordered[earlier];
      });
    }
    for (std::size_t i = 0; i < columns.updates.size(); ++i) {
      const bool read = !readers_[columns.updates[i]].empty();
      if (read && ordered[i] + 1 < columns.updates.size()) decided_ = false;
    }
  }

  std::vector<std::size_t> latest_first(const Bits& bits, const KeyColumns& columns) const {
    std::vector<std::size_t> members;
    for_each_bit(bits, [&](std::size_t i) { members.push_back(i); });
    std::sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
      return rank_[columns.updates[a]] > rank_[columns.updates[b]];
    });
    return members;
  }

  void derive(Node from, Node to, Why why, Node because) {
    if (!derived_.insert({from, to}).second) return;
    graph_.add({from, to, why, because, round_ + 1});
  }

  Serialisation& problem_;
  const Resolved& resolved_;
  OrderGraph& graph_;
  std::vector<std::vector<Point>> readers_;  // of registers, per source
  std::map<KeyId, std::vector<Point>> register_readers_;
  std::map<KeyId, std::vector<Point>> list_readers_;
  std::vector<KeyColumns> keys_;
  std::vector<Node> rank_;
  std::set<std::pair<Node, Node>> derived_;
  std::uint32_t round_ = 0;
  bool decided_ = true;
};

}  // namespace

Serialisation::Serialisation(const Resolved& history)
    : resolved(&history),
      included(history.size(), false),
      validated(history.size(), false),
      order(history.size()) {}

std::vector<OperationId> ids_of(const Resolved& resolved, Node node_count) {
  std::vector<OperationId> ids(node_count, kNoOperation);
  for (Point point = 0; point < resolved.size(); ++point) ids[point] = resolved[point].id;
  return ids;
}

Decision solve(Serialisation problem, Budget& budget) {
  Saturation saturation(problem);
  Decision decision = saturation.run();
  if (decision.answer == Answer::no) return decision;
  if (problem.reads_are_a_chain || saturation.every_pair_is_decided()) return {Answer::yes, {}};
  return {search(problem, budget), {}};
}

}  // namespace consistory
