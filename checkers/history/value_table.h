#pragma once
// ValueTable: the distinct values of a history, each once, known by a dense id. Integers, which is
// what workloads write, take eight bytes each; texts live beside them. Id 0 is nil.

#include <tsl/robin_map.h>

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "base/hash.h"
#include "checkers/history/value.h"

namespace consistory {

class ValueTable {
 public:
  std::size_t size() const { return codes_.size(); }
  Value operator[](std::uint32_t id) const;

 private:
  friend class ValueInterner;
  /// Codes below this are places in others_, where integers that low are kept too; all other codes
  /// are the integers themselves.
  static constexpr std::int64_t kOthersEnd = std::numeric_limits<std::int64_t>::min() / 2;
  static std::int64_t code_of(std::size_t other) {
    return std::numeric_limits<std::int64_t>::min() + static_cast<std::int64_t>(other);
  }

  std::vector<std::int64_t> codes_ = {code_of(0)};
  std::vector<Value> others_ = {Value::nil()};
};

/// Fills a ValueTable. Not thread-safe; O(1) amortised for integers, O(log n) for the rest.
class ValueInterner {
 public:
  explicit ValueInterner(ValueTable& table) : table_(&table) {}
  std::uint32_t intern(std::int64_t number);
  std::uint32_t intern(const Value& value);

 private:
  std::uint32_t add(std::int64_t code);
  bool is_small(std::int64_t number) const {
    return number >= 0 && number < 4096 + 4 * static_cast<std::int64_t>(table_->size());
  }

  ValueTable* table_;
  /// Of small numbers, which is what workloads count up through; 0: not met. The rest is below.
  std::vector<std::uint32_t> small_;
  tsl::robin_map<std::int64_t, std::uint32_t, NearbyHash> integers_;
  std::map<Value, std::uint32_t> others_ = {{Value::nil(), 0}};
};

}  // namespace consistory
