#pragma once
// HistoryBuilder: interns names and values, and refuses what is not a history at all (MODELS §1).
// Every reader and the test language go through it, so checkers never meet a malformed history.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/history.h"
#include "checkers/history/names.h"

namespace consistory {

/// An operation as its source spells it.
struct RawOperation {
  std::string session;
  std::string key;
  std::optional<std::string> node;
  Function function = Function::read;
  Outcome outcome = Outcome::ok;
  Value value;                                 ///< write, append, cas (new), read of a register
  Value expected;                              ///< cas (old)
  std::optional<std::vector<Value>> elements;  ///< read of a list
  std::optional<Value> seen;
  std::optional<std::int64_t> version;
  bool swapped = true;
  bool final = false;
  bool local = false;
  std::int64_t invoke = 0;
  std::int64_t complete = kNever;
  Nanos invoke_ns = 0;
  Nanos complete_ns = -1;
  std::uint32_t line = 0;  ///< where it stands, for messages; 0: the source's name says enough
};

/// Not thread-safe. Use once: add everything, then finish().
class HistoryBuilder {
 public:
  /// `source` is what messages call the input ("history.jsonl").
  explicit HistoryBuilder(std::string source = "history");

  HistoryBuilder(const HistoryBuilder&) = delete;  // its parts refer to each other
  HistoryBuilder& operator=(const HistoryBuilder&) = delete;

  /// The replica set; without it, the nodes seen in final reads.
  void set_replicas(const std::vector<std::string>& names);
  void set_settled(bool settled) { history_.settled = settled; }

  /// Room for so many operations, so that they need not move as they come.
  void reserve(std::size_t operations);
  /// Adds an operation and returns its place among those added so far.
  std::size_t add(const RawOperation& raw);

  // The same in parts, for readers of millions of operations.
  SessionId session(std::string_view name) { return sessions_.intern(name); }
  KeyId key(std::string_view name) { return keys_.intern(name); }
  NodeId node(std::string_view name) { return nodes_.intern(name); }
  ValueId value(std::int64_t number) { return values_.intern(number); }
  ValueId value(const Value& value) { return values_.intern(value); }
  std::size_t add(const Operation& operation, std::uint32_t line);
  const std::string& session_name(SessionId id) const { return history_.sessions[id]; }
  /// An operation added before, to be completed. Valid until the next add.
  Operation& at(std::size_t place) { return history_.operations[place]; }
  /// Says that the operation read a list, with these elements.
  void set_list(std::size_t place, std::span<const ValueId> elements);

  /// The history, or a usage error that names the first offending operation's place. O(n log n);
  /// O(n) for operations added in the order of their invocations.
  Result<History> finish() &&;

 private:
  class Examination;
  void sort_by_invocation();
  std::optional<Error> take_sets();
  Error malformed(std::size_t index, std::string_view why) const;

  std::string source_;
  History history_;
  std::vector<std::uint32_t> lines_;
  std::vector<bool> read_a_list_;
  bool sets_ = false;  // something is added or incremented
  Names sessions_{history_.sessions};
  Names keys_{history_.keys};
  Names nodes_{history_.nodes};
  ValueInterner values_{history_.values};
};

}  // namespace consistory
