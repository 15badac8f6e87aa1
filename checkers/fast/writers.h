#pragma once
// Who wrote which value of which key.

#include <tsl/robin_map.h>

#include <vector>

#include "base/hash.h"
#include "checkers/history/history.h"

namespace consistory {

/// Most values are written once in the whole history, so the
/// value alone finds the writer; the others are looked up by key and value.
class Writers {
 public:
  static constexpr OperationId kNobody = UINT32_MAX;
  static constexpr OperationId kSeveral = kNobody - 1;

  /// A value of a key as one number.
  static std::uint64_t code(KeyId key, ValueId value) {
    return static_cast<std::uint64_t>(key) << 32 | value;
  }

  explicit Writers(const History& history)
      : history_(history), first_(history.values.size(), kNobody) {}

  void add(OperationId id) {
    const Operation& operation = history_.operations[id];
    const ValueId value = operation.function == Function::remove ? kNil : operation.value;
    OperationId& first = first_[value];
    if (first == kNobody) {
      first = id;
    } else if (history_.operations[first].key == operation.key) {
      several_.insert_or_assign(code(operation.key, value), kSeveral);
      repeats_ = true;
    } else {
      const auto [place, added] = several_.try_emplace(code(operation.key, value), id);
      if (added) return;
      place.value() = kSeveral;
      repeats_ = true;
    }
  }

  /// Was some value written twice to one key?
  bool repeats() const { return repeats_; }

  /// kNobody, or kSeveral, if it is not one update.
  OperationId find(KeyId key, ValueId value) const {
    const OperationId first = first_[value];
    if (first == kNobody) return kNobody;
    if (!several_.empty()) {
      const auto found = several_.find(code(key, value));
      if (found != several_.end()) return found->second;
    }
    return history_.operations[first].key == key ? first : kNobody;
  }

 private:
  const History& history_;
  std::vector<OperationId> first_;
  tsl::robin_map<std::uint64_t, OperationId, MixHash> several_;
  bool repeats_ = false;
};

}  // namespace consistory
