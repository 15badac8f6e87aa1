#include "checkers/transactions/write_orders.h"

#include <algorithm>

namespace consistory {

WriteOrders::WriteOrders(const Dependencies& dependencies, const CommitRules& rules)
    : dependencies_(dependencies),
      rules_(rules),
      nodes_{rules.split},
      size_(nodes_.count(dependencies)) {
  add_sessions_and_reads();
  add_lists();
  add_registers();
  if (rules.real_time) add_real_time();
}

void WriteOrders::add_sessions_and_reads() {
  for (TNode node = 1; node < dependencies_.size(); ++node) {
    if (rules_.split) known_.push_back({nodes_.reads(node), nodes_.writes(node), Dependency::own});
    const TNode before = dependencies_.previous(node);
    if (before != kInitialNode)
      known_.push_back({nodes_.writes(before), nodes_.reads(node), Dependency::session});
    for (const ExternalRead& read : dependencies_.reads(node)) {
      if (read.source != kInitialNode)
        known_.push_back(
            {nodes_.writes(read.source), nodes_.reads(node), Dependency::reads_from, read.key});
    }
  }
}

void WriteOrders::write_order(TNode a, TNode b, KeyId key, std::vector<Link>& links) const {
  const std::uint32_t to = rules_.conflicts ? nodes_.reads(b) : nodes_.writes(b);
  links.push_back({nodes_.writes(a), to, Dependency::overwrites, key});
}

void WriteOrders::anti(TNode reader, TNode writer, KeyId key, std::vector<Link>& links) const {
  if (reader != writer)
    links.push_back({nodes_.reads(reader), nodes_.writes(writer), Dependency::anti, key});
}

/// Readers that come before all of `writers`, through one node for them all. Where a transaction is
/// one node those that write themselves go one by one, and two of them already contradict each
/// other.
void WriteOrders::add_readers_of_initial(KeyId key, const std::vector<TNode>& readers,
                                         const std::vector<TNode>& writers) {
  if (readers.empty() || writers.empty()) return;
  const std::uint32_t hub = size_++;
  for (const TNode writer : writers)
    known_.push_back({hub, nodes_.writes(writer), Dependency::anti, key});
  std::size_t writing = 0;
  for (const TNode reader : readers) {
    // Where reads and writes are two nodes, a writer may go through the hub to itself.
    if (rules_.split || !std::binary_search(writers.begin(), writers.end(), reader)) {
      known_.push_back({nodes_.reads(reader), hub, Dependency::anti, key});
    } else if (++writing <= 2) {
      for (const TNode writer : writers) anti(reader, writer, key, known_);
    }
  }
}

void WriteOrders::add_lists() {
  std::map<KeyId, std::vector<TNode>> of_all;  // who read all that any read shows
  for (TNode node = 1; node < dependencies_.size(); ++node) {
    for (const ExternalRead& read : dependencies_.reads(node)) {
      if (!dependencies_.history().is_list[read.key]) continue;
      if (read.next != kInitialNode) anti(node, read.next, read.key, known_);
      else of_all[read.key].push_back(node);
    }
  }
  for (const auto& [key, order] : dependencies_.lists()) {
    for (std::size_t i = 1; i < order.unseen; ++i)
      write_order(order.nodes[i - 1], order.nodes[i], key, known_);
    const std::vector<TNode> unseen(order.nodes.begin() + static_cast<std::ptrdiff_t>(order.unseen),
                                    order.nodes.end());
    if (order.unseen > 0) {
      for (const TNode node : unseen) write_order(order.nodes[order.unseen - 1], node, key, known_);
    }
    add_readers_of_initial(key, of_all[key], unseen);
    if (rules_.conflicts && unseen.size() > 1)
      keys_.push_back({key, unseen, std::vector<std::vector<TNode>>(unseen.size())});
  }
}

void WriteOrders::add_registers() {
  const TransactionHistory& history = dependencies_.history();
  std::vector<OpenKey> keys(history.keys.size());
  std::vector<std::vector<TNode>> of_initial(history.keys.size());
  for (TNode node = 1; node < dependencies_.size(); ++node) {
    for (const KeyId key : dependencies_.updates(node)) {
      if (!history.is_list[key]) keys[key].writers.push_back(node);
    }
  }
  for (KeyId key = 0; key < keys.size(); ++key) {
    keys[key].key = key;
    keys[key].readers.resize(keys[key].writers.size());
  }
  for (TNode node = 1; node < dependencies_.size(); ++node) {
    for (const ExternalRead& read : dependencies_.reads(node)) {
      if (history.is_list[read.key]) continue;
      OpenKey& key = keys[read.key];
      if (read.source == kInitialNode) {
        of_initial[read.key].push_back(node);
        continue;
      }
      const auto writer = std::lower_bound(key.writers.begin(), key.writers.end(), read.source);
      key.readers[static_cast<std::size_t>(writer - key.writers.begin())].push_back(node);
    }
  }
  for (KeyId key = 0; key < keys.size(); ++key) {
    add_readers_of_initial(key, of_initial[key], keys[key].writers);
    if (keys[key].writers.size() > 1) keys_.push_back(std::move(keys[key]));
  }
}

/// Through a line of nodes, one for each time at which something completed.
void WriteOrders::add_real_time() {
  std::map<std::int64_t, std::uint32_t> line;
  for (TNode node = 1; node < dependencies_.size(); ++node) {
    if (dependencies_.at(node).complete != kNever)
      line.try_emplace(dependencies_.at(node).complete, 0);
  }
  std::uint32_t last = UINT32_MAX;
  for (auto& [stamp, node] : line) {
    node = size_++;
    if (last != UINT32_MAX) known_.push_back({last, node, Dependency::real_time});
    last = node;
  }
  for (TNode node = 1; node < dependencies_.size(); ++node) {
    const Transaction& transaction = dependencies_.at(node);
    const auto after = line.lower_bound(transaction.invoke);
    if (after != line.begin())
      known_.push_back({std::prev(after)->second, nodes_.reads(node), Dependency::real_time});
    if (transaction.complete != kNever)
      known_.push_back({nodes_.writes(node), line.at(transaction.complete), Dependency::real_time});
  }
}

void WriteOrders::add_pair(const OpenKey& key, std::size_t a, std::size_t b,
                           std::vector<Link>& links) const {
  write_order(key.writers[a], key.writers[b], key.key, links);
  for (const TNode reader : key.readers[a]) anti(reader, key.writers[b], key.key, links);
}

void WriteOrders::add_order(const OpenKey& key, const std::vector<std::size_t>& by,
                            std::vector<Link>& links) const {
  for (std::size_t i = 1; i < by.size(); ++i) add_pair(key, by[i - 1], by[i], links);
}

}  // namespace consistory
