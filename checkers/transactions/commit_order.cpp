#include "checkers/transactions/commit_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "checkers/transactions/order_solver.h"
#include "checkers/transactions/saturation.h"

namespace consistory {
namespace {

/// Cycles between transactions: their parts put together, nodes that only carry order along left
/// out.
std::vector<std::vector<Link>> between_transactions(const std::vector<std::vector<Link>>& cycles,
                                                    const CommitNodes& nodes,
                                                    const Dependencies& dependencies) {
  std::vector<std::vector<Link>> result;
  const std::uint32_t count = nodes.count(dependencies);
  for (const std::vector<Link>& cycle : cycles) {
    std::vector<Link> merged;
    // Start at a node that is part of a transaction.
    const auto start = std::find_if(cycle.begin(), cycle.end(),
                                    [&](const Link& link) { return link.from < count; });
    if (start == cycle.end()) continue;
    std::vector<Link> rotated(start, cycle.end());
    rotated.insert(rotated.end(), cycle.begin(), start);
    for (const Link& link : rotated) {
      if (link.why == Dependency::own) continue;
      const bool carried = link.from >= count;
      if (carried) merged.back().to = link.to;
      else merged.push_back(link);
      merged.back().to = link.to < count ? nodes.transaction(link.to) : link.to;
      if (!carried) merged.back().from = nodes.transaction(link.from);
    }
    std::erase_if(merged, [](const Link& link) { return link.from == link.to; });
    if (!merged.empty()) result.push_back(std::move(merged));
  }
  return result;
}

/// When each node probably happened: its transaction's end, or its beginning.
std::vector<std::int64_t> times(const WriteOrders& orders, const Dependencies& dependencies,
                                bool by_end) {
  std::vector<std::int64_t> times(orders.size(), 0);
  const CommitNodes& nodes = orders.nodes();
  for (TNode node = 1; node < dependencies.size(); ++node) {
    const Transaction& transaction = dependencies.at(node);
    const std::int64_t end =
        transaction.complete == kNever ? transaction.invoke : transaction.complete;
    times[nodes.reads(node)] = by_end && !nodes.split ? end : transaction.invoke;
    times[nodes.writes(node)] = by_end || nodes.split ? end : transaction.invoke;
  }
  return times;
}

class CommitSearch {
 public:
  CommitSearch(const Dependencies& dependencies, const CommitRules& rules, std::uint64_t steps)
      : dependencies_(dependencies), orders_(dependencies, rules), steps_(steps) {}

  bool is_evident() {
    return Digraph(orders_.size(), orders_.known()).is_acyclic() && fits_known_order();
  }

  CommitAnswer run() {
    if (Digraph graph(orders_.size(), orders_.known()); !graph.is_acyclic())
      return refuted(graph.short_cycles());
    if (fits_known_order()) return {Answer::yes, {}, {}};
    if (orders_.size() > kSaturationNodesMax || pairs() > kPairsMax)
      return open(
          fmt::format("{} transactions whose writes are in no known order: too many to "
                      "search, and the orders that were guessed do not fit",
                      dependencies_.size() - 1));
    WriteSaturation saturation(orders_);
    if (!saturation.run()) return refuted(saturation.cycles());
    if (guess(saturation.links())) return {Answer::yes, {}, {}};
    return search(saturation);
  }

 private:
  /// Writers of one key by two, over all keys: what saturation and search look at again and again.
  static constexpr std::size_t kPairsMax = 4'000'000;

  std::size_t pairs() const {
    std::size_t count = 0;
    for (const OpenKey& key : orders_.keys()) count += key.writers.size() * key.writers.size();
    return count;
  }

  /// No key's order is open, or the one that was guessed does. What is known must have no cycle.
  bool fits_known_order() { return orders_.keys().empty() || guess(orders_.known()); }

  CommitAnswer refuted(const std::vector<std::vector<Link>>& cycles) const {
    return {Answer::no, between_transactions(cycles, orders_.nodes(), dependencies_), {}};
  }
  static CommitAnswer open(std::string why) { return {Answer::open, {}, std::move(why)}; }

  /// Writers in the order in which a sequence by time, and by all that is known, has them.
  bool guess(const std::vector<Link>& known) {
    for (const bool by_end : {true, false}) {
      const auto sequence =
          Digraph(orders_.size(), known).order(times(orders_, dependencies_, by_end));
      position_.assign(orders_.size(), 0);
      for (std::size_t i = 0; i < sequence->size(); ++i)
        position_[(*sequence)[i]] = static_cast<std::uint32_t>(i);
      std::vector<Link> links = known;
      for (const OpenKey& key : orders_.keys()) orders_.add_order(key, by_position(key), links);
      if (Digraph(orders_.size(), std::move(links)).is_acyclic()) return true;
    }
    return false;
  }

  std::vector<std::size_t> by_position(const OpenKey& key) const {
    std::vector<std::size_t> by(key.writers.size());
    std::iota(by.begin(), by.end(), 0U);
    std::sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) {
      return position_[orders_.nodes().writes(key.writers[a])] <
             position_[orders_.nodes().writes(key.writers[b])];
    });
    return by;
  }

  CommitAnswer search(const WriteSaturation& saturation) {
    OrderSolver solver(orders_, saturation, position_, steps_);
    switch (solver.run()) {
      case Answer::yes:
        return {Answer::yes, {}, {}};
      case Answer::no:
        return {Answer::no, {}, {}};
      case Answer::open:
        break;
    }
    return open(
        fmt::format("the search for an order of the writes used up its budget of {} steps "
                    "(--check-steps raises it)",
                    steps_));
  }

  const Dependencies& dependencies_;
  WriteOrders orders_;
  std::uint64_t steps_;
  std::vector<std::uint32_t> position_;  // per node, in the sequence that was guessed last
};

}  // namespace

bool commit_order_is_evident(const Dependencies& dependencies, const CommitRules& rules) {
  return CommitSearch(dependencies, rules, 0).is_evident();
}

CommitAnswer decide_commit_order(const Dependencies& dependencies, const CommitRules& rules,
                                 std::uint64_t steps) {
  return CommitSearch(dependencies, rules, steps).run();
}

}  // namespace consistory
