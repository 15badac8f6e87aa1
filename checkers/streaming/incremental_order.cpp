#include "checkers/streaming/incremental_order.h"

#include <algorithm>

namespace consistory {

IncrementalOrder::Node IncrementalOrder::add() {
  nodes_[next_].place = next_;
  order_[next_] = next_;
  return next_++;
}

bool IncrementalOrder::add_edge(Node from, Node to) {
  if (from == to) return false;
  Links &a = nodes_.at(from), &b = nodes_.at(to);
  if (!a.after.insert(to).second) return true;
  b.before.insert(from);
  if (a.place < b.place) return true;
  std::set<Node> after, before;
  if (!collect_after(to, a.place, from, after)) return false;
  collect_before(from, b.place, before);
  rearrange(before, after);
  return true;
}

/// All that follow, up to the place `last`; false if `never` is among them.
bool IncrementalOrder::collect_after(Node node, std::uint64_t last, Node never,
                                     std::set<Node>& found) const {
  std::vector<Node> open = {node};
  while (!open.empty()) {
    const Node next = open.back();
    open.pop_back();
    if (next == never) return false;
    if (nodes_.at(next).place > last || !found.insert(next).second) continue;
    open.insert(open.end(), nodes_.at(next).after.begin(), nodes_.at(next).after.end());
  }
  return true;
}

void IncrementalOrder::collect_before(Node node, std::uint64_t first, std::set<Node>& found) const {
  std::vector<Node> open = {node};
  while (!open.empty()) {
    const Node next = open.back();
    open.pop_back();
    if (nodes_.at(next).place < first || !found.insert(next).second) continue;
    open.insert(open.end(), nodes_.at(next).before.begin(), nodes_.at(next).before.end());
  }
}

/// The same places, those of `first` before those of `second`, each in the order they had.
void IncrementalOrder::rearrange(const std::set<Node>& first, const std::set<Node>& second) {
  std::vector<std::uint64_t> places;
  std::vector<Node> sequence;
  for (const std::set<Node>* part : {&first, &second}) {
    std::vector<Node> sorted(part->begin(), part->end());
    std::sort(sorted.begin(), sorted.end(),
              [&](Node a, Node b) { return nodes_.at(a).place < nodes_.at(b).place; });
    for (const Node node : sorted) {
      sequence.push_back(node);
      places.push_back(nodes_.at(node).place);
    }
  }
  std::sort(places.begin(), places.end());
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    nodes_.at(sequence[i]).place = places[i];
    order_[places[i]] = sequence[i];
  }
}

IncrementalOrder::Node IncrementalOrder::drop_first() {
  const Node node = order_.begin()->second;
  order_.erase(order_.begin());
  for (const Node follower : nodes_.at(node).after) nodes_.at(follower).before.erase(node);
  nodes_.erase(node);
  return node;
}

}  // namespace consistory
