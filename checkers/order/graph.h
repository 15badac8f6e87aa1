#pragma once
// OrderGraph: "must come before" between operations, each edge with its reason, so that a cycle is
// not only found but can be told as a proof. Edges are added in rounds: an edge derived in round r
// rests on edges of earlier rounds only, which is what lets a proof be unfolded without circles.
// Nodes from operation_count on are auxiliary (points in time, "all reads so far"): order passes
// through them, explanations do not show them.

#include <cstdint>
#include <optional>
#include <vector>

#include "checkers/order/resolution.h"

namespace consistory {

/// Why one operation must come before another. One row each in witness/words.cpp.
enum class Why : std::uint8_t {
  session_order,      ///< same session, earlier
  real_time,          ///< completed before the other was invoked
  reads_from,         ///< the other read its value
  version_order,      ///< the store gave it a lower version
  list_order,         ///< a list shows them in this order
  reads_initial,      ///< it read the initial value, so every update of the key comes later
  list_lacks,         ///< it read a list without the other's element
  overwritten,        ///< both updates precede `because`, which read the other one
  read_before,        ///< it read `because`, which precedes the other update of the key
  arrived,            ///< acknowledged before the quiescent phase, so every final read has it
  visible_earlier,    ///< `because` must see both updates and returned the other one
  swaps_over,         ///< the other is a cas that sees it, and overwrites what it sees
  own_future,         ///< a session's read precedes its own later update
  read_then_updated,  ///< a session read it before it made the other update
};

using Node = std::uint32_t;
using EdgeId = std::uint32_t;

struct Edge {
  Node from = 0;
  Node to = 0;
  Why why = Why::session_order;
  Node because = UINT32_MAX;  ///< the reading operation that a derived edge rests on
  std::uint32_t round = 0;
};

class OrderGraph {
 public:
  explicit OrderGraph(Node node_count = 0) : out_(node_count), in_(node_count) {}

  Node add_node();
  void add(const Edge& edge);

  Node size() const { return static_cast<Node>(out_.size()); }
  const std::vector<Edge>& edges() const { return edges_; }
  const std::vector<EdgeId>& in(Node node) const { return in_[node]; }
  const std::vector<EdgeId>& out(Node node) const { return out_[node]; }

  /// Kahn's algorithm, smallest node first among equals; none if there is a cycle. O(n + e).
  std::optional<std::vector<Node>> topological_order() const;
  /// A short cycle (breadth first from some node of a cycle); empty if there is none.
  std::vector<EdgeId> find_cycle() const;
  /// A shortest path over edges of rounds below `round_limit`; empty if there is none.
  std::vector<EdgeId> find_path(Node from, Node to, std::uint32_t round_limit = UINT32_MAX) const;

 private:
  std::vector<Edge> edges_;
  std::vector<std::vector<EdgeId>> out_;
  std::vector<std::vector<EdgeId>> in_;
};

}  // namespace consistory
