#include "checkers/history/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/escape.h"

namespace consistory {
namespace {

/// order[i] is the old place of the operation that belongs at i: by invocation, ties as they came.
std::vector<std::size_t> invocation_order(const std::vector<Operation>& operations) {
  std::vector<std::size_t> order(operations.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return operations[a].invoke < operations[b].invoke;
  });
  return order;
}

template <class Items>
Items permuted(const Items& items, const std::vector<std::size_t>& order) {
  Items sorted;
  sorted.reserve(items.size());
  for (const std::size_t from : order) sorted.push_back(items[from]);
  return sorted;
}

}  // namespace

HistoryBuilder::HistoryBuilder(std::string source) : source_(std::move(source)) {}

void HistoryBuilder::set_replicas(const std::vector<std::string>& names) {
  for (const std::string& name : names) node(name);
  history_.replica_count = history_.nodes.size();
}

std::size_t HistoryBuilder::add(const RawOperation& raw) {
  Operation operation;
  operation.session = session(raw.session);
  operation.key = key(raw.key);
  if (raw.node) operation.node = node(*raw.node);
  operation.function = raw.function;
  operation.outcome = raw.outcome;
  operation.swapped = raw.swapped;
  operation.final = raw.final;
  operation.local = raw.local;
  operation.value = value(raw.value);
  operation.expected = value(raw.expected);
  if (raw.seen) operation.seen = value(*raw.seen);
  operation.version = raw.version.value_or(kNoVersion);
  operation.invoke = raw.invoke;
  operation.complete = raw.complete;
  operation.invoke_ns = raw.invoke_ns;
  operation.complete_ns = raw.complete_ns;
  const std::size_t place = add(operation, raw.line);
  if (!raw.elements) return place;
  std::vector<ValueId> elements;
  for (const Value& element : *raw.elements) elements.push_back(value(element));
  set_list(place, elements);
  return place;
}

std::size_t HistoryBuilder::add(const Operation& operation, std::uint32_t line) {
  read_a_list_.push_back(false);
  lines_.push_back(line);
  history_.operations.push_back(operation);
  return history_.operations.size() - 1;
}

void HistoryBuilder::set_list(std::size_t place, std::span<const ValueId> elements) {
  CONSISTORY_CHECK(history_.elements.size() + elements.size() <= UINT32_MAX,
                   "lists of over 2^32 elements");
  read_a_list_[place] = true;
  history_.operations[place].list = {static_cast<std::uint32_t>(history_.elements.size()),
                                     static_cast<std::uint32_t>(elements.size())};
  history_.elements.insert(history_.elements.end(), elements.begin(), elements.end());
}

Error HistoryBuilder::malformed(std::size_t index, std::string_view why) const {
  const std::string text = operation_text(history_, history_.operations[index]);
  const std::string line = lines_[index] == 0 ? "" : fmt::format(":{}", lines_[index]);
  return usage_error(
      fmt::format("{}{}: {} (in \"{}\")", source_, line, why, shorten(escape_terminal(text), 160)));
}

std::optional<Error> HistoryBuilder::classify_keys() {
  enum class Use : std::uint8_t { unknown, a_register, a_list };
  std::vector<Use> uses(history_.keys.size(), Use::unknown);
  history_.is_list.assign(history_.keys.size(), false);
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    const Operation& operation = history_.operations[i];
    Use use = Use::a_register;
    if (operation.function == Function::append || read_a_list_[i]) use = Use::a_list;
    const bool nil_read = operation.function == Function::read && operation.value == kNil;
    if (use == Use::a_register && nil_read) continue;  // nil fits both
    Use& known = uses[operation.key];
    if (known != Use::unknown && known != use) {
      return malformed(i, "a key is a register or a list for its whole life, and this one is both");
    }
    known = use;
    history_.is_list[operation.key] = use == Use::a_list;
  }
  return std::nullopt;
}

std::optional<Error> HistoryBuilder::check_operation(std::size_t index) const {
  const Operation& operation = history_.operations[index];
  if (operation.outcome == Outcome::fail) return std::nullopt;
  if (operation.outcome == Outcome::ok && operation.complete < operation.invoke) {
    return malformed(index, "completes before it is invoked");
  }
  const bool ok_read = operation.function == Function::read && operation.outcome == Outcome::ok;
  const bool indeterminate_read = operation.function == Function::read && operation.is_info();
  if (operation.final && !ok_read && !indeterminate_read) {
    return malformed(index, "only a read can be final");
  }
  const bool mismatch = operation.function == Function::cas && !operation.swapped;
  if (mismatch && operation.seen == operation.expected) {
    return malformed(index, "a cas mismatch cannot have seen the value it expected");
  }
  return std::nullopt;
}

std::optional<Error> HistoryBuilder::check_sessions() const {
  std::vector<std::int64_t> free_from(history_.sessions.size(), INT64_MIN);
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    const Operation& operation = history_.operations[i];
    if (operation.outcome == Outcome::fail) continue;
    if (operation.function == Function::read && operation.is_info()) continue;
    if (operation.invoke < free_from[operation.session]) {
      return malformed(i, "overlaps an earlier operation of its own session");
    }
    if (!operation.is_info()) free_from[operation.session] = operation.complete;
  }
  return std::nullopt;
}

std::optional<Error> HistoryBuilder::check_finals() const {
  std::int64_t quiet_from = kNever;
  for (const Operation& operation : history_.operations) {
    if (operation.final && operation.outcome == Outcome::ok) {
      quiet_from = std::min(quiet_from, operation.invoke);
    }
  }
  if (quiet_from == kNever) return std::nullopt;
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    const Operation& operation = history_.operations[i];
    if (!operation.updates() || operation.outcome == Outcome::fail) continue;
    const bool late = !operation.is_info() && operation.complete > quiet_from;
    if (operation.invoke >= quiet_from || late) {
      return malformed(i, "an update is not finished before the first final read");
    }
  }
  return std::nullopt;
}

void HistoryBuilder::sort_by_invocation() {
  const auto earlier = [](const Operation& a, const Operation& b) { return a.invoke < b.invoke; };
  const std::vector<Operation>& operations = history_.operations;
  if (std::is_sorted(operations.begin(), operations.end(), earlier)) return;
  const std::vector<std::size_t> order = invocation_order(operations);
  history_.operations = permuted(history_.operations, order);
  lines_ = permuted(lines_, order);
  read_a_list_ = permuted(read_a_list_, order);
}

Result<History> HistoryBuilder::finish() && {
  for (Operation& operation : history_.operations) {
    if (!operation.is_info()) continue;
    operation.complete = kNever;
    operation.complete_ns = -1;
  }
  sort_by_invocation();
  if (auto error = classify_keys()) return *error;
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    if (auto error = check_operation(i)) return *error;
  }
  if (auto error = check_sessions()) return *error;
  if (auto error = check_finals()) return *error;
  return std::move(history_);
}

}  // namespace consistory
