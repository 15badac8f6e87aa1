#include "checkers/fast/cycles.h"

#include <algorithm>

namespace consistory {
namespace {

constexpr std::size_t kSearchMax = 4'000'000;  // edges looked at to shorten a cycle

class Graph {
 public:
  Graph(std::uint32_t nodes, const std::vector<Before>& edges)
      : edges_(edges), begin_(nodes + 1, 0), out_(edges.size()), left_in_(nodes, 0) {
    for (const Before& edge : edges) ++begin_[edge.from + 1];
    for (std::uint32_t node = 0; node < nodes; ++node) begin_[node + 1] += begin_[node];
    std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (std::uint32_t i = 0; i < edges.size(); ++i) out_[next[edges[i].from]++] = i;
    for (const Before& edge : edges) ++left_in_[edge.to];
  }

  std::vector<Before> cycle() {
    peel();
    std::vector<Before> best = any_cycle();
    for (std::uint32_t node = 0; node < left_in_.size() && looked_at_ < kSearchMax; ++node) {
      if (best.size() <= 2) break;
      if (left_in_[node] == 0) continue;
      std::vector<Before> found = shortest_from(node);
      if (!found.empty() && found.size() < best.size()) best = std::move(found);
    }
    return best;
  }

 private:
  /// Removes what has nothing before it, again and again (Kahn), then what has nothing after it:
  /// every node left has a node left before it and one after it.
  void peel() {
    std::vector<std::uint32_t> order;
    for (std::uint32_t node = 0; node < left_in_.size(); ++node) {
      if (left_in_[node] == 0) order.push_back(node);
    }
    for (std::size_t head = 0; head < order.size(); ++head) {
      for_each_after(order[head], [&](std::uint32_t to) {
        if (--left_in_[to] == 0) order.push_back(to);
      });
    }
    peel_ends();
  }

  void peel_ends() {
    std::vector<std::uint32_t> left_out(left_in_.size(), 0);
    std::vector<std::vector<std::uint32_t>> before(left_in_.size());
    std::vector<std::uint32_t> ends;
    for (const Before& edge : edges_) {
      if (left_in_[edge.from] == 0 || left_in_[edge.to] == 0) continue;
      ++left_out[edge.from];
      before[edge.to].push_back(edge.from);
    }
    for (std::uint32_t node = 0; node < left_in_.size(); ++node) {
      if (left_in_[node] > 0 && left_out[node] == 0) ends.push_back(node);
    }
    while (!ends.empty()) {
      const std::uint32_t node = ends.back();
      ends.pop_back();
      left_in_[node] = 0;
      for (const std::uint32_t from : before[node]) {
        if (left_in_[from] > 0 && --left_out[from] == 0) ends.push_back(from);
      }
    }
  }

  template <class Visit>
  void for_each_after(std::uint32_t node, const Visit& visit) const {
    for (std::uint32_t i = begin_[node]; i < begin_[node + 1]; ++i) visit(edges_[out_[i]].to);
  }

  /// Empty only if nothing is left: from any node left one can walk on until a node comes again.
  std::vector<Before> any_cycle() const {
    const auto left = std::find_if(left_in_.begin(), left_in_.end(),
                                   [](std::uint32_t count) { return count > 0; });
    if (left == left_in_.end()) return {};
    std::vector<Before> walk;
    std::vector<std::uint32_t> place(left_in_.size(), UINT32_MAX);
    auto node = static_cast<std::uint32_t>(left - left_in_.begin());
    while (place[node] == UINT32_MAX) {
      place[node] = static_cast<std::uint32_t>(walk.size());
      std::uint32_t edge = begin_[node];
      while (left_in_[edges_[out_[edge]].to] == 0) ++edge;
      walk.push_back(edges_[out_[edge]]);
      node = walk.back().to;
    }
    return {walk.begin() + place[node], walk.end()};
  }

  /// The shortest cycle through `start`, breadth first among what was not peeled.
  std::vector<Before> shortest_from(std::uint32_t start) {
    constexpr std::uint32_t kUnseen = UINT32_MAX;
    if (came_by_.empty()) came_by_.assign(left_in_.size(), kUnseen);
    std::vector<std::uint32_t> queue = {start};
    std::uint32_t closing = kUnseen;
    for (std::size_t head = 0; head < queue.size() && closing == kUnseen; ++head) {
      const std::uint32_t node = queue[head];
      for (std::uint32_t i = begin_[node]; i < begin_[node + 1] && closing == kUnseen; ++i) {
        ++looked_at_;
        const std::uint32_t to = edges_[out_[i]].to;
        if (to == start) closing = out_[i];
        if (left_in_[to] == 0 || came_by_[to] != kUnseen || to == start) continue;
        came_by_[to] = out_[i];
        queue.push_back(to);
      }
    }
    std::vector<Before> cycle;
    for (std::uint32_t edge = closing; edge != kUnseen;) {
      cycle.push_back(edges_[edge]);
      edge = edges_[edge].from == start ? kUnseen : came_by_[edges_[edge].from];
    }
    for (const std::uint32_t node : queue) came_by_[node] = kUnseen;
    std::reverse(cycle.begin(), cycle.end());
    return cycle;
  }

  const std::vector<Before>& edges_;
  std::vector<std::uint32_t> begin_, out_;
  std::vector<std::uint32_t> left_in_;  // 0: peeled
  std::vector<std::uint32_t> came_by_;
  std::size_t looked_at_ = 0;
};

}  // namespace

std::vector<Before> find_cycle(std::uint32_t nodes, const std::vector<Before>& edges) {
  return Graph(nodes, edges).cycle();
}

}  // namespace consistory
