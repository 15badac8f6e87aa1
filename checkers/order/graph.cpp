#include "checkers/order/graph.h"

#include <algorithm>
#include <deque>

namespace consistory {

Node OrderGraph::add_node() {
  out_.emplace_back();
  in_.emplace_back();
  return size() - 1;
}

void OrderGraph::add(const Edge& edge) {
  const auto id = static_cast<EdgeId>(edges_.size());
  edges_.push_back(edge);
  out_[edge.from].push_back(id);
  in_[edge.to].push_back(id);
}

std::optional<std::vector<Node>> OrderGraph::topological_order() const {
  std::vector<std::uint32_t> waiting(size());
  std::vector<Node> order;
  order.reserve(size());
  for (Node node = 0; node < size(); ++node) {
    waiting[node] = static_cast<std::uint32_t>(in_[node].size());
    if (waiting[node] == 0) order.push_back(node);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const EdgeId id : out_[order[next]]) {
      if (--waiting[edges_[id].to] == 0) order.push_back(edges_[id].to);
    }
  }
  if (order.size() != size()) return std::nullopt;
  return order;
}

std::vector<EdgeId> OrderGraph::find_cycle() const {
  // Peel off sources, then sinks: what stays lies on cycles or between them.
  std::vector<std::uint32_t> ins(size()), outs(size());
  std::vector<bool> gone(size(), false);
  std::vector<Node> todo;
  for (Node node = 0; node < size(); ++node) {
    ins[node] = static_cast<std::uint32_t>(in_[node].size());
    outs[node] = static_cast<std::uint32_t>(out_[node].size());
    if (ins[node] == 0 || outs[node] == 0) todo.push_back(node);
  }
  while (!todo.empty()) {
    const Node node = todo.back();
    todo.pop_back();
    if (gone[node]) continue;
    gone[node] = true;
    for (const EdgeId id : out_[node]) {
      if (--ins[edges_[id].to] == 0) todo.push_back(edges_[id].to);
    }
    for (const EdgeId id : in_[node]) {
      if (--outs[edges_[id].from] == 0) todo.push_back(edges_[id].from);
    }
  }
  // The shortest cycle through a few of the remaining edges is short enough: shrinking follows.
  constexpr int kTries = 64;
  std::vector<EdgeId> best;
  int tries = 0;
  for (EdgeId id = static_cast<EdgeId>(edges_.size()); id-- > 0 && tries < kTries;) {
    const Edge& edge = edges_[id];
    if (gone[edge.from] || gone[edge.to]) continue;
    ++tries;
    std::vector<EdgeId> cycle =
        edge.from == edge.to ? std::vector<EdgeId>{} : find_path(edge.to, edge.from);
    if (cycle.empty() && edge.from != edge.to) continue;
    cycle.insert(cycle.begin(), id);
    if (best.empty() || cycle.size() < best.size()) best = std::move(cycle);
  }
  if (!best.empty()) return best;
  for (EdgeId id = 0; id < edges_.size(); ++id) {  // every edge, should those tries all have missed
    std::vector<EdgeId> cycle = find_path(edges_[id].to, edges_[id].from);
    if (cycle.empty()) continue;
    cycle.insert(cycle.begin(), id);
    return cycle;
  }
  return {};
}

std::vector<EdgeId> OrderGraph::find_path(Node from, Node to, std::uint32_t round_limit) const {
  constexpr EdgeId kUnseen = UINT32_MAX;
  std::vector<EdgeId> reached_by(size(), kUnseen);
  std::deque<Node> queue = {from};
  while (!queue.empty()) {
    const Node node = queue.front();
    queue.pop_front();
    for (const EdgeId id : out_[node]) {
      const Edge& edge = edges_[id];
      if (edge.round >= round_limit || reached_by[edge.to] != kUnseen) continue;
      reached_by[edge.to] = id;
      if (edge.to != to) {
        queue.push_back(edge.to);
        continue;
      }
      std::vector<EdgeId> path;
      for (Node at = to; path.empty() || at != from; at = edges_[path.back()].from) {
        path.push_back(reached_by[at]);
      }
      std::reverse(path.begin(), path.end());
      return path;
    }
  }
  return {};
}

}  // namespace consistory
