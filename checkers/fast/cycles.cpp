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
    std::vector<Before> best;
    for (std::uint32_t node = 0; node < left_in_.size() && looked_at_ < kSearchMax; ++node) {
      if (left_in_[node] == 0) continue;
      std::vector<Before> found = shortest_from(node);
      if (found.empty()) continue;
      if (best.empty() || found.size() < best.size()) best = std::move(found);
      if (best.size() <= 2) break;
    }
    return best;
  }

 private:
  /// Removes what has nothing before it, again and again (Kahn): what stays can reach a cycle back.
  void peel() {
    std::vector<std::uint32_t> ready;
    for (std::uint32_t node = 0; node < left_in_.size(); ++node) {
      if (left_in_[node] == 0) ready.push_back(node);
    }
    while (!ready.empty()) {
      const std::uint32_t node = ready.back();
      ready.pop_back();
      for (std::uint32_t i = begin_[node]; i < begin_[node + 1]; ++i) {
        const std::uint32_t to = edges_[out_[i]].to;
        if (--left_in_[to] == 0) ready.push_back(to);
      }
    }
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
  std::vector<std::uint32_t> left_in_;  // edges in from what is not peeled; 0: peeled
  std::vector<std::uint32_t> came_by_;
  std::size_t looked_at_ = 0;
};

}  // namespace

std::vector<Before> find_cycle(std::uint32_t nodes, const std::vector<Before>& edges) {
  return Graph(nodes, edges).cycle();
}

}  // namespace consistory
