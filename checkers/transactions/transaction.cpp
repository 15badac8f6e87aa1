#include "checkers/transactions/transaction.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"

namespace consistory {

void TransactionBuilder::begin(std::string_view session, Outcome outcome, std::int64_t invoke,
                               std::int64_t complete) {
  Transaction transaction;
  transaction.session = living_session(session);
  transaction.outcome = outcome;
  transaction.first = static_cast<std::uint32_t>(history_.steps.size());
  transaction.invoke = invoke;
  transaction.complete = outcome == Outcome::info ? kNever : complete;
  if (outcome == Outcome::info) crashed_.insert(transaction.session);
  history_.transactions.push_back(transaction);
}

/// Whose outcome is unknown may still take effect: what its client does next is a new session.
SessionId TransactionBuilder::living_session(std::string_view name) {
  SessionId id = sessions_.intern(name);
  for (std::size_t life = 1; crashed_.contains(id); ++life)
    id = sessions_.intern(fmt::format("{}.{}", name, life));
  return id;
}

void TransactionBuilder::add(const Step& step) {
  history_.steps.push_back(step);
  read_list_.push_back(false);
  ++history_.transactions.back().count;
}

void TransactionBuilder::add(KeyId key, Access access, ValueId value) {
  add(Step{key, access, value, {}});
}

void TransactionBuilder::read_list(KeyId key, std::span<const ValueId> elements) {
  Step step{key, Access::read, kNil, {}};
  step.list = {static_cast<std::uint32_t>(history_.elements.size()),
               static_cast<std::uint32_t>(elements.size())};
  history_.elements.insert(history_.elements.end(), elements.begin(), elements.end());
  add(step);
  read_list_.back() = true;
}

void TransactionBuilder::read(std::string_view key, const Value& value) {
  add(Step{keys_.intern(key), Access::read, values_.intern(value), {}});
}

void TransactionBuilder::write(std::string_view key, const Value& value) {
  add(Step{keys_.intern(key), Access::write, values_.intern(value), {}});
}

void TransactionBuilder::append(std::string_view key, const Value& value) {
  add(Step{keys_.intern(key), Access::append, values_.intern(value), {}});
}

void TransactionBuilder::read_list(std::string_view key, const std::vector<Value>& elements) {
  std::vector<ValueId> ids;
  for (const Value& element : elements) ids.push_back(values_.intern(element));
  read_list(keys_.intern(key), ids);
}

Result<TransactionHistory> TransactionBuilder::finish(const std::string& source) && {
  std::vector<bool>& lists = history_.is_list;
  lists.assign(history_.keys.size(), false);
  std::vector<bool> registers(history_.keys.size(), false);
  for (std::size_t i = 0; i < history_.steps.size(); ++i) {
    const Step& step = history_.steps[i];
    const bool list = step.access == Access::append || read_list_[i];
    if (list) lists[step.key] = true;
    // A read of nil may be of an empty list as well.
    else if (step.access == Access::write || step.value != kNil) registers[step.key] = true;
    if (lists[step.key] && registers[step.key])
      return usage_error(fmt::format(
          "{}: key {}: a key is a register or a list for its whole life, and this one is both",
          source, escape_terminal(shorten(history_.keys[step.key], 60))));
  }
  for (const Transaction& transaction : history_.transactions) {
    if (transaction.count > kStepsMax)
      return usage_error(fmt::format("{}: a transaction of {} steps; at most {} can be judged",
                                     source, transaction.count, kStepsMax));
  }
  std::stable_sort(history_.transactions.begin(), history_.transactions.end(),
                   [](const Transaction& a, const Transaction& b) { return a.invoke < b.invoke; });
  return std::move(history_);
}

namespace {

std::string value_of(const TransactionHistory& history, const Step& step) {
  if (step.access != Access::read || !history.is_list[step.key])
    return to_string(history.values[step.value]);
  std::string text = "[";
  for (const ValueId element : history.elements_of(step))
    text += (text.size() > 1 ? " " : "") + to_string(history.values[element]);
  return text + "]";
}

std::string_view word_of(Access access) {
  return access == Access::read ? "read" : access == Access::write ? "write" : "append";
}

}  // namespace

std::string describe(const TransactionHistory& history, TransactionId id) {
  const Transaction& transaction = history.transactions[id];
  std::string text = fmt::format("T{} (session {}):", id, history.sessions[transaction.session]);
  for (const Step& step : history.steps_of(id)) {
    text += fmt::format("{} {} {} {}", text.ends_with(':') ? "" : ",", word_of(step.access),
                        history.keys[step.key], value_of(history, step));
  }
  return text;
}

}  // namespace consistory
