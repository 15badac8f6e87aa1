#pragma once
// Sessions as chains of transactions, and for each transaction how much of each chain it must see:
// the causal past as vector clocks.

#include "checkers/transactions/dependencies.h"
#include "checkers/transactions/digraph.h"

namespace consistory {

/// A session is a chain; a transaction of unknown outcome is its last (TransactionBuilder).
class Chains {
 public:
  explicit Chains(const Dependencies& dependencies);

  std::uint32_t count() const { return count_; }
  std::uint32_t chain(TNode node) const { return chain_[node]; }
  std::uint32_t position(TNode node) const { return position_[node]; }

 private:
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> chain_, position_;
};

/// Session order and reads-from: what makes the causal past.
std::vector<Link> sessions_and_reads(const Dependencies& dependencies);

class Clocks {
 public:
  /// By `links`, which contain session order; none if they have a cycle. Throws std::length_error
  /// where transactions times sessions are too many. O(links · sessions).
  static std::optional<Clocks> of(const Dependencies& dependencies, const Chains& chains,
                                  const Digraph& links);
  /// By session order and reads-from.
  static std::optional<Clocks> of(const Dependencies& dependencies, const Chains& chains);

  /// How many transactions of the chain come before the node.
  std::uint32_t seen(TNode node, std::uint32_t chain) const {
    return seen_[std::size_t{node} * chains_ + chain];
  }

 private:
  std::size_t chains_ = 0;
  std::vector<std::uint32_t> seen_;
};

}  // namespace consistory
