#pragma once
// Transactions: operations on several keys at once, reads and writes of registers, reads and
// appends of lists. A key is a register or a list for its whole life; registers start as nil, lists
// empty.

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/names.h"
#include "checkers/history/operation.h"
#include "checkers/history/value_table.h"

namespace consistory {

using TransactionId = std::uint32_t;  ///< index into TransactionHistory::transactions

enum class Access : std::uint8_t { read, write, append };

/// One access of a transaction. Of those of unknown outcome only the updates are kept.
struct Step {
  KeyId key = 0;
  Access access = Access::read;
  ValueId value = kNil;  ///< written, appended, or read from a register
  ElementRange list;     ///< read from a list
};

struct Transaction {
  SessionId session = 0;
  Outcome outcome = Outcome::ok;  ///< fail: aborted, surely
  std::uint32_t first = 0;        ///< into TransactionHistory::steps
  std::uint32_t count = 0;
  std::int64_t invoke = 0;         ///< order stamps
  std::int64_t complete = kNever;  ///< kNever: it is not known when, if at all
};

/// Of one transaction; who reads what in it is found by looking back.
constexpr std::uint32_t kStepsMax = 4096;

/// Immutable once built.
struct TransactionHistory {
  std::vector<std::string> sessions;
  std::vector<std::string> keys;
  ValueTable values;
  std::vector<bool> is_list;
  std::vector<ValueId> elements;  ///< of lists
  std::vector<Step> steps;
  std::vector<Transaction> transactions;  ///< of one session in its order

  std::span<const Step> steps_of(TransactionId id) const {
    const Transaction& transaction = transactions[id];
    return std::span(steps).subspan(transaction.first, transaction.count);
  }
  std::span<const ValueId> elements_of(const Step& step) const {
    return std::span(elements).subspan(step.list.begin, step.list.size);
  }
};

/// Not thread-safe. Use once.
class TransactionBuilder {
 public:
  TransactionBuilder() = default;
  TransactionBuilder(const TransactionBuilder&) = delete;  // its parts refer to each other
  TransactionBuilder& operator=(const TransactionBuilder&) = delete;

  /// The steps that follow are its. `complete` counts only if it took effect or surely did not.
  void begin(std::string_view session, Outcome outcome, std::int64_t invoke, std::int64_t complete);
  void read(std::string_view key, const Value& value);
  void read_list(std::string_view key, const std::vector<Value>& elements);
  void write(std::string_view key, const Value& value);
  void append(std::string_view key, const Value& value);

  // The same for readers of millions of steps.
  KeyId key(std::string_view name) { return keys_.intern(name); }
  ValueId value(std::int64_t number) { return values_.intern(number); }
  ValueId value(const Value& any) { return values_.intern(any); }
  void add(KeyId key, Access access, ValueId value);
  void read_list(KeyId key, std::span<const ValueId> elements);

  /// A usage error where a key is both a register and a list.
  Result<TransactionHistory> finish(const std::string& source) &&;

 private:
  void add(const Step& step);
  SessionId living_session(std::string_view name);

  TransactionHistory history_;
  std::vector<bool> read_list_;  ///< per step: a read of a list
  std::set<SessionId> crashed_;
  Names sessions_{history_.sessions};
  Names keys_{history_.keys};
  ValueInterner values_{history_.values};
};

/// "T3 (session 2): append x 7, read y [1 2]": for people; raw bytes.
std::string describe(const TransactionHistory& history, TransactionId id);

}  // namespace consistory
