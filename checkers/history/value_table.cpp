#include "checkers/history/value_table.h"

#include <algorithm>

namespace consistory {

Value ValueTable::operator[](std::uint32_t id) const {
  const std::int64_t number = codes_[id];
  if (number >= kOthersEnd) return Value::of(number);
  return others_[static_cast<std::size_t>(number - code_of(0))];
}

std::uint32_t ValueInterner::add(std::int64_t code) {
  table_->codes_.push_back(code);
  return static_cast<std::uint32_t>(table_->codes_.size() - 1);
}

std::uint32_t ValueInterner::intern(std::int64_t number) {
  if (number < ValueTable::kOthersEnd) return intern(Value::of(number));
  const auto place = static_cast<std::uint64_t>(number);
  if (place < small_.size() && small_[place] != 0) return small_[place];
  const auto known = integers_.find(number);
  if (known != integers_.end()) return known->second;
  const std::uint32_t id = add(number);
  if (!is_small(number)) return integers_.emplace(number, id).first->second;
  if (place >= small_.size()) small_.resize(std::max(place + 1, 2 * small_.size()), 0);
  return small_[place] = id;
}

std::uint32_t ValueInterner::intern(const Value& value) {
  const bool plain = value.kind == Value::Kind::integer && value.integer >= ValueTable::kOthersEnd;
  if (plain) return intern(value.integer);
  const auto known = others_.find(value);
  if (known != others_.end()) return known->second;
  const std::uint32_t id = add(ValueTable::code_of(table_->others_.size()));
  table_->others_.push_back(value);
  others_.emplace(value, id);
  return id;
}

}  // namespace consistory
