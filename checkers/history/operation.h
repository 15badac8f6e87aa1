#pragma once
// One client operation: its invocation and, if there was one, its completion (DESIGN §4.1).

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace consistory {

using OperationId = std::uint32_t;  ///< index into History::operations
using SessionId = std::uint32_t;
using KeyId = std::uint32_t;
using NodeId = std::uint32_t;
using ValueId = std::uint32_t;  ///< index into History::values; 0 is nil

constexpr ValueId kNil = 0;
constexpr NodeId kNoNode = std::numeric_limits<NodeId>::max();
constexpr ValueId kNoValue = std::numeric_limits<ValueId>::max();
/// The version of an operation whose store told none.
constexpr std::int64_t kNoVersion = std::numeric_limits<std::int64_t>::min();
/// The completion stamp of an operation that never completed.
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// `add` puts an element into a set, `increment` adds to a counter: in a history both are appends
/// to a list of which the order means nothing (unordered.h).
enum class Function : std::uint8_t { read, write, cas, remove, append, add, increment };

/// ok: took effect. fail: surely did not and never will. info: unknown, at any later time or never.
enum class Outcome : std::uint8_t { ok, fail, info };

std::string_view name_of(Function function);
std::string_view name_of(Outcome outcome);
std::optional<Function> function_named(std::string_view name);
std::optional<Outcome> outcome_named(std::string_view name);

/// The elements that a read of a list returned: a slice of History::elements.
struct ElementRange {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
};

/// 80 bytes: a history of ten million operations has to fit beside its checkers.
struct Operation {
  SessionId session = 0;
  KeyId key = 0;
  NodeId node = kNoNode;  ///< the node that was asked
  Function function = Function::read;
  Outcome outcome = Outcome::ok;
  bool swapped = true;      ///< cas: false is a definite mismatch, which read some other value
  bool final = false;       ///< a read of the quiescent phase
  bool local = false;       ///< a node's own copy: judged by the convergence models only
  ValueId value = kNil;     ///< written, appended, swapped in, or read from a register
  ValueId expected = kNil;  ///< cas: the value it expects
  ValueId seen = kNoValue;  ///< cas mismatch: what the store said it saw
  ElementRange list;        ///< read of a list
  std::int64_t version = kNoVersion;  ///< the store's own; its order per key is the store's
  std::int64_t invoke = 0;            ///< order stamps: event index, or litmus time
  std::int64_t complete = kNever;
  Nanos invoke_ns = 0;  ///< for display only
  Nanos complete_ns = -1;

  bool has_version() const { return version != kNoVersion; }
  bool has_seen() const { return seen != kNoValue; }
  bool is_info() const { return outcome == Outcome::info; }
  /// Changes the key. An indeterminate cas that took effect took effect successfully (MODELS §1.3).
  bool updates() const {
    return function != Function::read && (function != Function::cas || is_info() || swapped);
  }
  /// Observes the key.
  bool reads() const { return function == Function::read || function == Function::cas; }
};

}  // namespace consistory
