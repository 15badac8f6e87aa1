#pragma once
// HistoryBuilder: interns names and values, and refuses what is not a history at all (MODELS §1).
// Every reader and the test language go through it, so checkers never meet a malformed history.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/history.h"

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
  std::string place;  ///< where it stands ("history.jsonl:12"), for messages
};

/// Not thread-safe. Use once: add everything, then finish().
class HistoryBuilder {
 public:
  /// The replica set; without it, the nodes seen in final reads.
  void set_replicas(const std::vector<std::string>& names);
  void set_settled(bool settled) { history_.settled = settled; }
  void add(RawOperation raw);
  /// The history, or a usage error that names the first offending operation's place. O(n log n).
  Result<History> finish() &&;

 private:
  template <class Id>
  using Names = std::map<std::string, Id, std::less<>>;

  ValueId intern(Value value);
  Operation convert(RawOperation& raw);
  std::optional<Error> classify_keys();
  std::optional<Error> check_sessions() const;
  std::optional<Error> check_finals() const;
  std::optional<Error> check_operation(std::size_t index) const;
  Error malformed(std::size_t index, std::string_view why) const;

  History history_;
  std::vector<std::string> places_;
  std::vector<bool> read_a_list_;
  Names<SessionId> sessions_;
  Names<KeyId> keys_;
  Names<NodeId> nodes_;
  std::map<Value, ValueId> values_ = {{Value::nil(), kNil}};
};

}  // namespace consistory
