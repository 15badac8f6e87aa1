#pragma once
// IncrementalOrder: a graph that must stay without circles while edges come, after Pearce and Kelly
// (2006): each node has a place in one order, and an edge that goes against it moves only the nodes
// in between. The first node of the order has no predecessor, and may be dropped.

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace consistory {

class IncrementalOrder {
 public:
  using Node = std::uint64_t;

  /// A node after all others, so far.
  Node add();
  /// False if this closes a circle; the graph is of no use then. O(what lies in between).
  bool add_edge(Node from, Node to);
  bool contains(Node node) const { return nodes_.contains(node); }
  std::size_t size() const { return nodes_.size(); }
  /// Forgets the first node of the order; returns which.
  Node drop_first();

 private:
  struct Links {
    std::uint64_t place = 0;
    std::set<Node> before, after;
  };

  bool collect_after(Node node, std::uint64_t last, Node never, std::set<Node>& found) const;
  void collect_before(Node node, std::uint64_t first, std::set<Node>& found) const;
  void rearrange(const std::set<Node>& first, const std::set<Node>& second);

  std::map<Node, Links> nodes_;
  std::map<std::uint64_t, Node> order_;  // by place
  Node next_ = 0;
};

}  // namespace consistory
