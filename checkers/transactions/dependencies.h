#pragma once
// What the transactions of a history read from each other, and what is wrong already there.
//
// Committed transactions, and those of unknown outcome of which somebody read something, are nodes;
// node 0 writes the initial value of every key. A transaction reads from outside what it reads of a
// key before its own update of it; of a list, what stands before its own appends. Lists tell the
// order of their appends; appends that no read shows come after all that are shown.

#include <map>
#include <optional>
#include <vector>

#include "checkers/transactions/transaction.h"

namespace consistory {

using TNode = std::uint32_t;
constexpr TNode kInitialNode = 0;

/// Anomalies that concern single reads (Adya 1999, §4.2 and §5; Elle).
enum class ReadAnomaly : std::uint8_t {
  thin_air,            ///< what nobody wrote
  aborted_read,        ///< G1a: what an aborted transaction wrote
  intermediate_read,   ///< G1b: what its writer overwrote before it committed
  internal,            ///< not what the transaction itself wrote before
  incompatible_order,  ///< two lists of one key of which none is the beginning of the other
  repeated_element,    ///< a list that shows one append twice
};

std::string_view name_of(ReadAnomaly anomaly);

struct ReadAnomalyFound {
  ReadAnomaly anomaly = ReadAnomaly::thin_air;
  TransactionId reader = 0;
  TransactionId other = 0;  ///< the writer, or the other reader; the reader itself if there is none
  KeyId key = 0;
};

struct ExternalRead {
  KeyId key = 0;
  TNode source = kInitialNode;  ///< who wrote the value, or the last element
  TNode next = kInitialNode;  ///< of a list: who appended the next one that a read shows; 0: nobody
};

class Dependencies {
 public:
  /// The history must outlive it. Values written twice to one key are refused: nullopt, with the
  /// reason in `why`. O(steps + elements), expected.
  static std::optional<Dependencies> of(const TransactionHistory& history, std::string& why);

  const TransactionHistory& history() const { return *history_; }
  TNode size() const { return static_cast<TNode>(transactions_.size()); }
  /// Of a node other than 0.
  TransactionId transaction(TNode node) const { return transactions_[node]; }
  const Transaction& at(TNode node) const { return history_->transactions[transactions_[node]]; }

  /// In the order of the reads; the same at once again is left out.
  std::span<const ExternalRead> reads(TNode node) const {
    return std::span(reads_).subspan(read_first_[node], read_first_[node + 1] - read_first_[node]);
  }
  /// The keys it updates, each once.
  std::span<const KeyId> updates(TNode node) const {
    return std::span(updates_).subspan(update_first_[node],
                                       update_first_[node + 1] - update_first_[node]);
  }
  /// The one before it in its session; 0 if it is the first. Transactions of unknown outcome are
  /// nobody's predecessors.
  TNode previous(TNode node) const { return previous_[node]; }

  /// Of a list: who appended, in the order that reads show, a run of one's appends once; then those
  /// whose appends no read shows, from `unseen` on.
  struct ListOrder {
    std::vector<TNode> nodes;
    std::size_t unseen = 0;
  };
  const std::map<KeyId, ListOrder>& lists() const { return lists_; }

  const std::vector<ReadAnomalyFound>& anomalies() const { return anomalies_; }

 private:
  friend class DependencyFinder;

  const TransactionHistory* history_ = nullptr;
  std::vector<TransactionId> transactions_;
  std::vector<ExternalRead> reads_;
  std::vector<std::uint32_t> read_first_;
  std::vector<KeyId> updates_;
  std::vector<std::uint32_t> update_first_;
  std::vector<TNode> previous_;
  std::map<KeyId, ListOrder> lists_;
  std::vector<ReadAnomalyFound> anomalies_;
};

}  // namespace consistory
