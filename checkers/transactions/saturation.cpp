#include "checkers/transactions/saturation.h"

#include "base/limits.h"

namespace consistory {

WriteSaturation::WriteSaturation(const WriteOrders& orders)
    : orders_(orders), links_(orders.known()) {
  for (const OpenKey& key : orders.keys())
    before_.emplace_back(key.writers.size() * key.writers.size(), false);
}

bool WriteSaturation::run() {
  do {
    const Digraph graph(orders_.size(), links_);
    if (!reach(graph)) {
      cycles_ = graph.short_cycles();
      return false;
    }
  } while (derive());
  return true;
}

bool WriteSaturation::reach(const Digraph& graph) {
  const auto order = graph.order(std::vector<std::int64_t>(graph.size(), 0));
  if (!order) return false;
  const std::size_t words = (graph.size() + 63) / 64;
  rows_.assign(graph.size(), Row(words, 0));
  for (const std::uint32_t node : *order) {
    if (node % 256 == 0) check_time();
    const Row& own = rows_[node];
    for (const Link& link : graph.out(node)) {
      Row& other = rows_[link.to];
      for (std::size_t word = 0; word < words; ++word) other[word] |= own[word];
      other[node / 64] |= std::uint64_t{1} << (node % 64);
    }
  }
  return true;
}

/// The other way round there would be a cycle.
bool WriteSaturation::must_precede(const OpenKey& key, std::size_t a, std::size_t b) {
  otherwise_.clear();
  orders_.add_pair(key, b, a, otherwise_);
  for (const Link& link : otherwise_) {
    if (reaches(link.to, link.from)) return true;
  }
  return false;
}

/// Writer `a` before writer `b`; false if nothing new follows.
bool WriteSaturation::add_pair(const OpenKey& key, std::size_t a, std::size_t b) {
  otherwise_.clear();
  orders_.add_pair(key, a, b, otherwise_);
  bool fresh = false;
  for (const Link& link : otherwise_) {
    if (reaches(link.from, link.to)) continue;
    links_.push_back(link);
    if (link.why == Dependency::overwrites) links_.back().why = Dependency::implied;
    fresh = true;
  }
  return fresh;
}

bool WriteSaturation::derive() {
  bool derived = false;
  for (std::size_t k = 0; k < orders_.keys().size(); ++k) {
    const OpenKey& key = orders_.keys()[k];
    const std::size_t count = key.writers.size();
    for (std::size_t a = 0; a < count; ++a) {
      check_time();
      for (std::size_t b = 0; b < count; ++b) {
        if (a == b || before_[k][a * count + b] || !must_precede(key, a, b)) continue;
        before_[k][a * count + b] = true;
        derived = add_pair(key, a, b) || derived;
      }
    }
  }
  return derived;
}

}  // namespace consistory
