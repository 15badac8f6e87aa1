#include "checkers/sets/set_order.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "base/hash.h"
#include "base/limits.h"
#include "checkers/order/graph.h"

namespace consistory {
namespace {

constexpr OperationId kNobody = UINT32_MAX;

class SetOrder {
 public:
  SetOrder(const History& history, const SetOrderRules& rules)
      : history_(history), rules_(rules), graph_(static_cast<Node>(history.size())) {}

  /// None: there is an order.
  std::optional<Proof> refute() {
    if (auto proof = collect()) return proof;
    std::map<KeyId, std::vector<OperationId>> adds;
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (takes_part_[id] && at(id).updates()) adds[at(id).key].push_back(id);
    }
    for (auto& [key, reads] : reads_) {
      check_time();
      if (auto proof = order_reads(reads, adds[key])) return proof;
    }
    order_sessions();
    if (rules_.real_time) order_by_time();
    const std::vector<EdgeId> cycle = graph_.find_cycle();
    if (cycle.empty()) return std::nullopt;
    std::vector<OperationId> ids(history_.size());
    std::iota(ids.begin(), ids.end(), 0U);
    return unfold_cycle(graph_, cycle, ids);
  }

 private:
  struct Read {
    OperationId id = 0;
    std::vector<OperationId> seen;  // who added it, ascending
  };

  static std::uint64_t code(KeyId key, ValueId value) { return std::uint64_t{key} << 32 | value; }
  const Operation& at(OperationId id) const { return history_.operations[id]; }

  /// Who takes part: reads that ended well, additions that did or that some read saw.
  std::optional<Proof> collect() {
    takes_part_.assign(history_.size(), false);
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = at(id);
      if (operation.updates() && operation.outcome != Outcome::fail)
        adder_.emplace(code(operation.key, operation.value), id);
    }
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = at(id);
      takes_part_[id] =
          takes_part_[id] || (operation.updates() && operation.outcome == Outcome::ok);
      const bool reads = operation.function == Function::read && operation.outcome == Outcome::ok;
      if (!reads || operation.local) continue;
      takes_part_[id] = true;
      Read read{id, {}};
      for (const ValueId element : history_.elements_of(operation)) {
        const auto known = adder_.find(code(operation.key, element));
        if (known == adder_.end()) return out_of_thin_air({id});
        takes_part_[known->second] = true;
        read.seen.push_back(known->second);
      }
      std::sort(read.seen.begin(), read.seen.end());
      const auto twice = std::adjacent_find(read.seen.begin(), read.seen.end());
      if (twice != read.seen.end()) return out_of_thin_air({*twice, id});
      reads_[operation.key].push_back(std::move(read));
    }
    return std::nullopt;
  }

  /// An element that nobody added, or that was added once and is there twice.
  static Proof out_of_thin_air(std::vector<OperationId> operations) {
    Proof proof;
    proof.shape = ProofShape::thin_air;
    std::sort(operations.begin(), operations.end());
    proof.operations = std::move(operations);
    return proof;
  }

  /// What reads of a key saw must grow from layer to layer, a layer being the reads that saw the
  /// same; what no read saw comes after the last.
  std::optional<Proof> order_reads(std::vector<Read>& reads, const std::vector<OperationId>& adds) {
    std::stable_sort(reads.begin(), reads.end(), [](const Read& a, const Read& b) {
      if (a.seen.size() != b.seen.size()) return a.seen.size() < b.seen.size();
      return a.seen < b.seen;
    });
    std::span<const Read> below;
    for (std::size_t from = 0; from < reads.size();) {
      std::size_t to = from;
      while (to < reads.size() && reads[to].seen == reads[from].seen) ++to;
      const std::span<const Read> layer = std::span(reads).subspan(from, to - from);
      if (!below.empty()) {
        if (auto proof = incomparable(below.front(), layer.front())) return proof;
      }
      add_layer(below, without(layer.front().seen, below), layer);
      below = layer;
      from = to;
    }
    add_layer(below, without(adds, below), {});
    return std::nullopt;
  }

  static std::vector<OperationId> without(const std::vector<OperationId>& all,
                                          std::span<const Read> layer) {
    if (layer.empty()) return all;
    const std::vector<OperationId>& seen = layer.front().seen;
    std::vector<OperationId> more;
    std::set_difference(all.begin(), all.end(), seen.begin(), seen.end(), std::back_inserter(more));
    return more;
  }

  /// Each lacks something that the other saw: add, one read, the other add, the other read, add.
  static std::optional<Proof> incomparable(const Read& a, const Read& b) {
    std::vector<OperationId> of_a, of_b;
    std::set_difference(a.seen.begin(), a.seen.end(), b.seen.begin(), b.seen.end(),
                        std::back_inserter(of_a));
    std::set_difference(b.seen.begin(), b.seen.end(), a.seen.begin(), a.seen.end(),
                        std::back_inserter(of_b));
    if (of_a.empty() || of_b.empty()) return std::nullopt;
    Proof proof;
    proof.cycle = {{of_a.front(), a.id, Why::reads_from, std::nullopt},
                   {a.id, of_b.front(), Why::list_lacks, std::nullopt},
                   {of_b.front(), b.id, Why::reads_from, std::nullopt},
                   {b.id, of_a.front(), Why::list_lacks, std::nullopt}};
    proof.operations = {of_a.front(), a.id, of_b.front(), b.id};
    std::sort(proof.operations.begin(), proof.operations.end());
    return proof;
  }

  /// The reads below lack what is fresh, and the reads of the layer saw it.
  void add_layer(std::span<const Read> below, const std::vector<OperationId>& fresh,
                 std::span<const Read> layer) {
    if (fresh.empty()) return;
    const Node lacking = graph_.add_node(), shown = graph_.add_node();
    for (const Read& read : below) add(read.id, lacking, Why::list_lacks);
    for (const OperationId id : fresh) {
      add(lacking, id, Why::list_lacks);
      add(id, shown, Why::reads_from);
    }
    for (const Read& read : layer) add(shown, read.id, Why::reads_from);
  }

  /// Nothing of its session follows an addition of unknown outcome.
  void order_sessions() {
    std::map<std::pair<SessionId, KeyId>, OperationId> last;
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!takes_part_[id]) continue;
      const KeyId key = rules_.each_key_alone ? at(id).key : 0;
      const auto [before, first] = last.try_emplace({at(id).session, key}, id);
      if (!first) add(before->second, id, Why::session_order);
      if (!at(id).is_info()) before->second = id;
      else if (first) last.erase(before);
    }
  }

  /// Through a line of nodes, one for each time at which something completed.
  void order_by_time() {
    std::map<std::int64_t, Node> line;
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (takes_part_[id] && !at(id).is_info()) line.try_emplace(at(id).complete, 0);
    }
    Node before = kNobody;
    for (auto& [stamp, node] : line) {
      node = graph_.add_node();
      if (before != kNobody) add(before, node, Why::real_time);
      before = node;
    }
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!takes_part_[id]) continue;
      const auto after = line.lower_bound(at(id).invoke);
      if (after != line.begin()) add(std::prev(after)->second, id, Why::real_time);
      if (!at(id).is_info()) add(id, line.at(at(id).complete), Why::real_time);
    }
  }

  void add(Node from, Node to, Why why) { graph_.add({from, to, why, UINT32_MAX, 0}); }

  const History& history_;
  SetOrderRules rules_;
  OrderGraph graph_;
  std::vector<bool> takes_part_;
  tsl::robin_map<std::uint64_t, OperationId, MixHash> adder_;  // by key and element
  std::map<KeyId, std::vector<Read>> reads_;
};

}  // namespace

ModelVerdict judge_set_order(const History& history, const SetOrderRules& rules) {
  std::optional<Proof> proof = SetOrder(history, rules).refute();
  return proof ? ModelVerdict::violated(std::move(*proof)) : ModelVerdict::holds();
}

}  // namespace consistory
