#pragma once
// What follows about open write orders from everything that is known (Zennou et al. 2019).

#include <optional>

#include "checkers/transactions/write_orders.h"

namespace consistory {

/// For histories of at most this many nodes: their reachability takes its square in bits.
constexpr std::uint32_t kSaturationNodesMax = 24'000;

class WriteSaturation {
 public:
  explicit WriteSaturation(const WriteOrders& orders);

  /// False if there is a cycle: then cycles() has some.
  bool run();
  const std::vector<std::vector<Link>>& cycles() const { return cycles_; }
  /// Known and derived.
  const std::vector<Link>& links() const { return links_; }
  /// Is the order of these writers (indexes) of the key (index into keys()) decided, and how?
  bool is_before(std::size_t key, std::size_t a, std::size_t b) const {
    return before_[key][a * orders_.keys()[key].writers.size() + b];
  }
  bool is_open(std::size_t key, std::size_t a, std::size_t b) const {
    return !is_before(key, a, b) && !is_before(key, b, a);
  }

 private:
  using Row = std::vector<std::uint64_t>;

  bool reach(const Digraph& graph);
  bool reaches(std::uint32_t from, std::uint32_t to) const {
    return (rows_[to][from / 64] >> (from % 64) & 1) != 0;
  }
  bool must_precede(const OpenKey& key, std::size_t a, std::size_t b);
  bool add_pair(const OpenKey& key, std::size_t a, std::size_t b);
  bool derive();

  const WriteOrders& orders_;
  std::vector<Link> links_;
  std::vector<Link> otherwise_;  ///< scratch
  std::vector<Row> rows_;        ///< per node: what comes before it
  std::vector<std::vector<bool>> before_;
  std::vector<std::vector<Link>> cycles_;
};

}  // namespace consistory
