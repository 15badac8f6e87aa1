#include "checkers/transactions/digraph.h"

#include <algorithm>
#include <queue>

#include "base/limits.h"

namespace consistory {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
/// How many nodes of a component are tried for the shortest cycle through them.
constexpr std::size_t kStartsMax = 64;

}  // namespace

Digraph::Digraph(std::uint32_t nodes, std::vector<Link> links)
    : nodes_(nodes), links_(links.size()), first_(nodes + 1, 0) {
  for (const Link& link : links) ++first_[link.from + 1];
  for (std::uint32_t node = 0; node < nodes; ++node) first_[node + 1] += first_[node];
  std::vector<std::uint32_t> at(first_.begin(), first_.end() - 1);
  for (const Link& link : links) links_[at[link.from]++] = link;
}

std::optional<std::vector<std::uint32_t>> Digraph::order(
    std::span<const std::int64_t> priority) const {
  std::vector<std::uint32_t> waiting(nodes_, 0);
  for (const Link& link : links_) ++waiting[link.to];
  using Ready = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    if (waiting[node] == 0) ready.emplace(priority[node], node);
  }
  std::vector<std::uint32_t> order;
  order.reserve(nodes_);
  while (!ready.empty()) {
    const std::uint32_t node = ready.top().second;
    ready.pop();
    order.push_back(node);
    for (const Link& link : out(node)) {
      if (--waiting[link.to] == 0) ready.emplace(priority[link.to], link.to);
    }
  }
  return order.size() == nodes_ ? std::optional(std::move(order)) : std::nullopt;
}

bool Digraph::is_acyclic() const {
  std::vector<std::uint32_t> waiting(nodes_, 0);
  for (const Link& link : links_) ++waiting[link.to];
  std::vector<std::uint32_t> ready;
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    if (waiting[node] == 0) ready.push_back(node);
  }
  std::size_t done = 0;
  while (!ready.empty()) {
    const std::uint32_t node = ready.back();
    ready.pop_back();
    ++done;
    for (const Link& link : out(node)) {
      if (--waiting[link.to] == 0) ready.push_back(link.to);
    }
  }
  return done == nodes_;
}

/// Tarjan (1972), without recursion.
std::vector<std::uint32_t> Digraph::components(std::uint32_t& count) const {
  std::vector<std::uint32_t> component(nodes_, kNone), low(nodes_, kNone), number(nodes_, kNone);
  std::vector<std::uint32_t> stack, path, next(first_.begin(), first_.end() - 1);
  std::uint32_t numbered = 0;
  count = 0;
  for (std::uint32_t root = 0; root < nodes_; ++root) {
    if (number[root] != kNone) continue;
    path.push_back(root);
    while (!path.empty()) {
      const std::uint32_t node = path.back();
      if (number[node] == kNone) {
        number[node] = low[node] = numbered++;
        stack.push_back(node);
      }
      bool descended = false;
      for (; next[node] < first_[node + 1]; ++next[node]) {
        const std::uint32_t to = links_[next[node]].to;
        if (number[to] == kNone) {
          path.push_back(to);
          descended = true;
          break;
        }
        if (component[to] == kNone) low[node] = std::min(low[node], low[to]);
      }
      if (descended) continue;
      path.pop_back();
      if (low[node] != number[node]) continue;
      for (std::uint32_t member = kNone; member != node;) {
        member = stack.back();
        stack.pop_back();
        component[member] = count;
      }
      ++count;
    }
  }
  return component;
}

std::vector<std::vector<Link>> Digraph::short_cycles(std::size_t per_component) const {
  std::uint32_t count = 0;
  const std::vector<std::uint32_t> component = components(count);
  std::vector<std::vector<std::uint32_t>> members(count);
  for (std::uint32_t node = 0; node < nodes_; ++node) members[component[node]].push_back(node);
  std::vector<std::vector<Link>> cycles;
  std::vector<std::uint32_t> seen(nodes_, kNone);
  for (const std::vector<std::uint32_t>& nodes : members) {
    const bool loop =
        nodes.size() == 1 && std::any_of(out(nodes[0]).begin(), out(nodes[0]).end(),
                                         [&](const Link& link) { return link.to == link.from; });
    if (nodes.size() < 2 && !loop) continue;
    check_time();
    std::vector<std::vector<Link>> found;
    const std::size_t stride = std::max<std::size_t>(nodes.size() / kStartsMax, 1);
    for (std::size_t i = 0; i < nodes.size(); i += stride)
      found.push_back(shortest_cycle(nodes[i], component, seen));
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.size() < b.size(); });
    for (std::size_t i = 0; i < found.size() && i < per_component; ++i)
      cycles.push_back(std::move(found[i]));
  }
  return cycles;
}

/// Breadth first within the component of `start`.
std::vector<Link> Digraph::shortest_cycle(std::uint32_t start,
                                          std::span<const std::uint32_t> component,
                                          std::vector<std::uint32_t>& seen) const {
  std::vector<Link> reached;          // the link by which each was found
  std::vector<std::uint32_t> parent;  // index into reached
  const auto finish = [&](std::uint32_t last) {
    std::vector<Link> cycle;
    for (std::uint32_t at = last; at != kNone; at = parent[at]) cycle.push_back(reached[at]);
    std::reverse(cycle.begin(), cycle.end());
    return cycle;
  };
  const auto visit = [&](std::uint32_t node, std::uint32_t by) -> std::optional<std::uint32_t> {
    for (const Link& link : out(node)) {
      if (component[link.to] != component[start]) continue;
      const bool closes = link.to == start;
      if (!closes && seen[link.to] == start) continue;
      seen[link.to] = start;
      reached.push_back(link);
      parent.push_back(by);
      if (closes) return static_cast<std::uint32_t>(reached.size() - 1);
    }
    return std::nullopt;
  };
  if (auto last = visit(start, kNone)) return finish(*last);
  for (std::uint32_t i = 0; i < reached.size(); ++i) {
    if (auto last = visit(reached[i].to, i)) return finish(*last);
  }
  return {};
}

}  // namespace consistory
