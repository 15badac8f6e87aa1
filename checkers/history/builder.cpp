#include "checkers/history/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/escape.h"

namespace consistory {
namespace {

template <class Id>
Id intern_name(std::map<std::string, Id, std::less<>>& ids, std::vector<std::string>& names,
               const std::string& name) {
  const auto [place, added] = ids.try_emplace(name, static_cast<Id>(names.size()));
  if (added) names.push_back(name);
  return place->second;
}

/// perm[i] is the old place of the operation that belongs at i: by invocation, ties as they came.
std::vector<std::size_t> invocation_order(const std::vector<Operation>& operations) {
  std::vector<std::size_t> order(operations.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return operations[a].invoke < operations[b].invoke;
  });
  return order;
}

}  // namespace

void HistoryBuilder::set_replicas(const std::vector<std::string>& names) {
  for (const std::string& name : names) intern_name(nodes_, history_.nodes, name);
  history_.replica_count = history_.nodes.size();
}

ValueId HistoryBuilder::intern(Value value) {
  if (history_.values.empty()) history_.values.push_back(Value::nil());
  const auto [place, added] =
      values_.try_emplace(std::move(value), static_cast<ValueId>(history_.values.size()));
  if (added) history_.values.push_back(place->first);
  return place->second;
}

Operation HistoryBuilder::convert(RawOperation& raw) {
  Operation operation;
  operation.session = intern_name(sessions_, history_.sessions, raw.session);
  operation.key = intern_name(keys_, history_.keys, raw.key);
  if (raw.node) operation.node = intern_name(nodes_, history_.nodes, *raw.node);
  operation.function = raw.function;
  operation.outcome = raw.outcome;
  operation.swapped = raw.swapped;
  operation.final = raw.final;
  operation.local = raw.local;
  operation.value = intern(std::move(raw.value));
  operation.expected = intern(std::move(raw.expected));
  if (raw.elements) {
    for (Value& element : *raw.elements) operation.elements.push_back(intern(std::move(element)));
  }
  if (raw.seen) operation.seen = intern(std::move(*raw.seen));
  operation.version = raw.version;
  operation.invoke = raw.invoke;
  operation.complete = raw.outcome == Outcome::info ? kNever : raw.complete;
  operation.invoke_ns = raw.invoke_ns;
  operation.complete_ns = raw.outcome == Outcome::info ? -1 : raw.complete_ns;
  return operation;
}

void HistoryBuilder::add(RawOperation raw) {
  read_a_list_.push_back(raw.elements.has_value());
  history_.operations.push_back(convert(raw));
  places_.push_back(std::move(raw.place));
}

Error HistoryBuilder::malformed(std::size_t index, std::string_view why) const {
  const std::string text = operation_text(history_, history_.operations[index]);
  return usage_error(
      fmt::format("{}: {} (in \"{}\")", places_[index], why, shorten(escape_terminal(text), 160)));
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

Result<History> HistoryBuilder::finish() && {
  intern(Value::nil());
  const std::vector<std::size_t> order = invocation_order(history_.operations);
  std::vector<Operation> sorted;
  std::vector<std::string> places;
  std::vector<bool> lists;
  for (const std::size_t from : order) {
    sorted.push_back(std::move(history_.operations[from]));
    places.push_back(std::move(places_[from]));
    lists.push_back(read_a_list_[from]);
  }
  history_.operations = std::move(sorted);
  places_ = std::move(places);
  read_a_list_ = std::move(lists);
  history_.is_list.assign(history_.keys.size(), false);
  if (auto error = classify_keys()) return *error;
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    if (auto error = check_operation(i)) return *error;
  }
  if (auto error = check_sessions()) return *error;
  if (auto error = check_finals()) return *error;
  return std::move(history_);
}

}  // namespace consistory
