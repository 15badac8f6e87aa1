// Session guarantees in scope G, for any set of them at once.
//
// Visibility is reachability in a graph of four kinds of nodes per operation: U(i), the update i is
// visible; R(i), what the read i sees; P(i), "all updates of the session up to i"; Q(i), "all reads
// of the session up to i". Each guarantee adds its edges:
//   rf   U(source) -> R(r)            MW   U(u1) -> U(u2), same session
//   MR   R(r1) -> R(r2)               WFR  R(r1) -> Q -> U(u2), and R(c) -> U(c) for a cas c
//   RYW  U(u) -> P -> R(r)
// so u vis r iff U(u) reaches R(r), and the least visibility is what reachability gives. A path
// from U to U uses MW or WFR edges only, and is an arbitration order. The set holds iff no read
// sees an update of its own future or one it cannot have seen, and arbitration (those paths, the
// updates seen before the returned one, list and version order) is acyclic [MODELS §3.6].
#include "checkers/models/guarantees.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/suggest.h"
#include "checkers/models/total_order.h"
#include "checkers/order/key_past.h"

namespace consistory {
namespace {

class Visibility {
 public:
  Visibility(const Resolved& resolved, GuaranteeSet set)
      : resolved_(resolved),
        set_(set),
        n_(resolved.size()),
        graph_(4 * n_),
        keys_(key_columns(resolved)) {
    for (Point point = 0; point < n_; ++point) {
      if (resolved[point].reads) readers_[resolved[point].key].push_back(point);
    }
    add_sources();
    add_sessions();
  }

  Decision decide() {
    const auto order = graph_.topological_order();
    if (!order) return refuted_by_cycle();
    if (sees_own_future(*order)) return {Answer::no, std::move(*refutation_)};
    for_each_key_block(graph_, *order, keys_, [&](const KeyPast& past) {
      for (std::size_t key = 0; key < past.key_count() && !refutation_; ++key) judge_key(past, key);
      return !refutation_;
    });
    if (refutation_) return {Answer::no, std::move(*refutation_)};
    return decide_arbitration();
  }

 private:
  Node update_node(Point i) const { return i; }
  Node read_node(Point i) const { return n_ + i; }
  Node updates_so_far(Point i) const { return 2 * n_ + i; }
  Node reads_so_far(Point i) const { return 3 * n_ + i; }

  void link(Node from, Node to, Why why) { graph_.add({from, to, why, UINT32_MAX, 0}); }

  std::vector<OperationId> ids() const {
    std::vector<OperationId> ids = ids_of(resolved_, graph_.size());
    for (Point i = 0; i < n_; ++i) ids[read_node(i)] = resolved_[i].id;
    return ids;
  }

  Decision refuted_by_cycle() {
    return {Answer::no, unfold_cycle(graph_, graph_.find_cycle(), ids())};
  }

  void add_sources() {
    for (Point i = 0; i < n_; ++i) {
      for (const Point source : resolved_[i].sources) {
        link(update_node(source), read_node(i), Why::reads_from);
      }
    }
  }

  struct Last {
    Point read = kNoPoint;
    Point update = kNoPoint;
  };

  void add_sessions() {
    std::vector<Last> last(resolved_.history->sessions.size());
    for (Point i = 0; i < n_; ++i) {
      Last& before = last[resolved_[i].session];
      add_guarantees(i, before);
      if (resolved_[i].info) continue;
      if (resolved_[i].reads) before.read = i;
      if (resolved_[i].updates) before.update = i;
    }
  }

  void add_guarantees(Point i, const Last& before) {
    const bool reads = resolved_[i].reads;
    const bool updates = resolved_[i].updates;
    if (reads && before.read != kNoPoint && contains(set_, Guarantee::monotonic_reads)) {
      link(read_node(before.read), read_node(i), Why::session_order);
    }
    if (updates && before.update != kNoPoint && contains(set_, Guarantee::monotonic_writes)) {
      link(update_node(before.update), update_node(i), Why::session_order);
    }
    if (contains(set_, Guarantee::read_your_writes)) add_own_updates(i, before);
    if (contains(set_, Guarantee::writes_follow_reads)) add_earlier_reads(i, before);
  }

  void add_own_updates(Point i, const Last& before) {
    if (before.update != kNoPoint && resolved_[i].reads) {
      link(updates_so_far(before.update), read_node(i), Why::session_order);
    }
    if (!resolved_[i].updates || resolved_[i].info) return;
    link(update_node(i), updates_so_far(i), Why::session_order);
    if (before.update != kNoPoint) {
      link(updates_so_far(before.update), updates_so_far(i), Why::session_order);
    }
  }

  void add_earlier_reads(Point i, const Last& before) {
    if (before.read != kNoPoint && resolved_[i].updates) {
      link(reads_so_far(before.read), update_node(i), Why::session_order);
    }
    if (!resolved_[i].reads) return;
    if (resolved_[i].updates) link(read_node(i), update_node(i), Why::session_order);
    if (resolved_[i].info) return;
    link(read_node(i), reads_so_far(i), Why::session_order);
    if (before.read != kNoPoint)
      link(reads_so_far(before.read), reads_so_far(i), Why::session_order);
  }

  /// Closes the path from -> … -> to with the edge to -> from.
  void refute(Node from, Node to, Why why) {
    std::vector<EdgeId> cycle = graph_.find_path(from, to);
    graph_.add({to, from, why, UINT32_MAX, 1});
    cycle.push_back(static_cast<EdgeId>(graph_.edges().size() - 1));
    refutation_ = unfold_cycle(graph_, cycle, ids());
  }

  /// B-RU. Per session: the latest own update that each node sees, one pass over the graph.
  bool sees_own_future(const std::vector<Node>& order) {
    std::map<SessionId, std::vector<Point>> updates;
    for (Point i = 0; i < n_; ++i) {
      if (resolved_[i].updates) updates[resolved_[i].session].push_back(i);
    }
    for (const auto& [session, own] : updates) {
      if (sees_future_of(session, own, order)) return true;
    }
    return false;
  }

  bool sees_future_of(SessionId session, const std::vector<Point>& own,
                      const std::vector<Node>& order) {
    std::vector<std::int64_t> latest(graph_.size(), -1);
    for (const Point update : own) latest[update_node(update)] = update;
    for (const Node node : order) {
      for (const EdgeId id : graph_.in(node)) {
        latest[node] = std::max(latest[node], latest[graph_.edges()[id].from]);
      }
    }
    for (Point i = 0; i < n_; ++i) {
      if (!resolved_[i].reads || resolved_[i].session != session) continue;
      const auto seen = latest[read_node(i)];
      const bool future = resolved_[i].info ? seen >= i && sees_itself(i) : seen >= i;
      if (!future) continue;
      refute(resolved_[i].info ? i : static_cast<Node>(seen), read_node(i), Why::own_future);
      return true;
    }
    return false;
  }

  bool sees_itself(Point i) const {
    return !graph_.find_path(update_node(i), read_node(i)).empty();
  }

  void judge_key(const KeyPast& past, std::size_t key) {
    const std::vector<Point>& readers = readers_[past.columns(key).key];
    std::vector<Bits> covered(past.columns(key).updates.size(), Bits(past.columns(key).words()));
    for (const Point reader : readers) {
      if (refutation_) return;
      const std::span<const Word> seen = past.before(key, read_node(reader));
      if (resolved_[reader].list) {
        judge_list_read(past, key, reader);
      } else if (resolved_[reader].sources.empty()) {
        for_each_bit(seen, [&](std::size_t i) {
          if (!refutation_)
            refute(past.columns(key).updates[i], read_node(reader), Why::reads_initial);
        });
      } else {
        arbitrate(past, key, reader, resolved_[reader].sources[0], Why::visible_earlier, covered);
      }
      if (resolved_[reader].updates) arbitrate(past, key, reader, reader, Why::swaps_over, covered);
    }
  }

  /// Everything of the key that `reader` sees precedes `winner`, the update it returned (or, for a
  /// cas, itself). `covered` skips what earlier edges imply already.
  void arbitrate(const KeyPast& past, std::size_t key, Point reader, Point winner, Why why,
                 std::vector<Bits>& covered) {
    const std::vector<Node>& updates = past.columns(key).updates;
    const auto column = [&](Point point) {
      return static_cast<std::size_t>(std::lower_bound(updates.begin(), updates.end(), point) -
                                      updates.begin());
    };
    const std::size_t own = column(winner);
    const std::span<const Word> seen = past.before(key, read_node(reader));
    Bits fresh(seen.begin(), seen.end());
    for (std::size_t w = 0; w < fresh.size(); ++w) fresh[w] &= ~covered[own][w];
    if (test(fresh, own)) fresh[own / 64] ^= Word{1} << (own % 64);
    for (std::size_t i = updates.size(); i-- > 0;) {
      if (!test(fresh, i)) continue;
      const std::span<const Word> implied = past.before(key, updates[i]);
      for (std::size_t w = 0; w < fresh.size(); ++w) {
        const Word known = implied[w] | covered[i][w];
        fresh[w] &= ~known;
        covered[own][w] |= known;
      }
      set(covered[own], i);
      arbitration_.push_back({updates[i], winner, why, read_node(reader), 1});
    }
  }

  void judge_list_read(const KeyPast& past, std::size_t key, Point reader) {
    std::vector<Point> list = resolved_[reader].sources;
    std::sort(list.begin(), list.end());
    for_each_bit(past.before(key, read_node(reader)), [&](std::size_t i) {
      const Node append = past.columns(key).updates[i];
      if (refutation_ || std::binary_search(list.begin(), list.end(), append)) return;
      refute(append, read_node(reader), Why::list_lacks);
    });
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
  GuaranteeSet set_;
  Point n_;
  OrderGraph graph_;
  std::vector<KeyColumns> keys_;
  std::map<KeyId, std::vector<Point>> readers_;
  std::vector<Edge> arbitration_;
  std::optional<Proof> refutation_;
};

struct GuaranteeName {
  Guarantee guarantee;
  const char* name;
  const char* short_name;
};
constexpr std::array<GuaranteeName, 4> kNames = {{
    {Guarantee::monotonic_reads, "monotonic-reads", "MR"},
    {Guarantee::monotonic_writes, "monotonic-writes", "MW"},
    {Guarantee::read_your_writes, "read-your-writes", "RYW"},
    {Guarantee::writes_follow_reads, "writes-follow-reads", "WFR"},
}};

}  // namespace

ModelVerdict judge_guarantees(const History& history, Budget& budget, GuaranteeSet set) {
  return judge_history(history, budget, [&](const Resolved& resolved, Budget&) {
    return Visibility(resolved, set).decide();
  });
}

std::string name_of(GuaranteeSet set) {
  std::vector<std::string> names;
  for (const GuaranteeName& row : kNames) {
    if (contains(set, row.guarantee)) names.emplace_back(row.name);
  }
  return names.empty() ? "base" : join(names, "+");
}

std::string short_name_of(GuaranteeSet set) {
  std::vector<std::string> names;
  for (const GuaranteeName& row : kNames) {
    if (contains(set, row.guarantee)) names.emplace_back(row.short_name);
  }
  return names.empty() ? "base" : join(names, "+");
}

}  // namespace consistory
