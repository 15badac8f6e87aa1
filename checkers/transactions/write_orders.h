#pragma once
// The keys whose writes are in no known order, and what an order of two of them brings with it.

#include <map>

#include "checkers/transactions/commit_order.h"

namespace consistory {

/// Which nodes stand for a transaction's reads and for its writes.
struct CommitNodes {
  bool split = false;

  std::uint32_t reads(TNode node) const { return split ? 2 * node : node; }
  std::uint32_t writes(TNode node) const { return split ? 2 * node + 1 : node; }
  TNode transaction(std::uint32_t node) const { return split ? node / 2 : node; }
  std::uint32_t count(const Dependencies& dependencies) const {
    return (split ? 2 : 1) * dependencies.size();
  }
};

/// A key with writers in no known order, and who reads from each.
struct OpenKey {
  KeyId key = 0;
  std::vector<TNode> writers;               ///< ascending
  std::vector<std::vector<TNode>> readers;  ///< per writer
};

class WriteOrders {
 public:
  WriteOrders(const Dependencies& dependencies, const CommitRules& rules);

  const CommitNodes& nodes() const { return nodes_; }
  const std::vector<OpenKey>& keys() const { return keys_; }
  /// Nodes of the graph, those that only carry order along included.
  std::uint32_t size() const { return size_; }
  /// Everything that holds whatever the open orders are.
  const std::vector<Link>& known() const { return known_; }

  /// What follows if writer `a` of the key comes before writer `b` (indexes into `writers`).
  void add_pair(const OpenKey& key, std::size_t a, std::size_t b, std::vector<Link>& links) const;
  /// The same for a whole order, `by` its writers' indexes; only neighbours are linked.
  void add_order(const OpenKey& key, const std::vector<std::size_t>& by,
                 std::vector<Link>& links) const;

 private:
  void add_sessions_and_reads();
  void add_lists();
  void add_registers();
  void add_real_time();
  void add_readers_of_initial(KeyId key, const std::vector<TNode>& readers,
                              const std::vector<TNode>& writers);
  void write_order(TNode a, TNode b, KeyId key, std::vector<Link>& links) const;
  void anti(TNode reader, TNode writer, KeyId key, std::vector<Link>& links) const;

  const Dependencies& dependencies_;
  CommitRules rules_;
  CommitNodes nodes_;
  std::uint32_t size_;
  std::vector<Link> known_;
  std::vector<OpenKey> keys_;
};

}  // namespace consistory
