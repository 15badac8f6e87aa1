#include "checkers/history/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/escape.h"
#include "checkers/history/unordered.h"

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

void HistoryBuilder::reserve(std::size_t operations) {
  history_.operations.reserve(operations);
  lines_.reserve(operations);
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
  sets_ = sets_ || operation.function > Function::append;
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

/// What makes operations a history (MODELS §1), looked at one by one, in order of invocation.
class HistoryBuilder::Examination {
 public:
  Examination(HistoryBuilder& builder, std::int64_t quiet_from)
      : builder_(builder),
        quiet_from_(quiet_from),
        uses_(builder.history_.keys.size(), Use::unknown),
        free_from_(builder.history_.sessions.size(), INT64_MIN) {
    builder.history_.is_list.assign(builder.history_.keys.size(), false);
  }

  std::optional<Error> look_at(std::size_t index) {
    if (auto error = classify(index)) return error;
    const Operation& operation = builder_.history_.operations[index];
    if (operation.outcome == Outcome::fail) return std::nullopt;
    std::string_view wrong = itself(operation);
    if (wrong.empty()) wrong = in_its_session(operation);
    if (wrong.empty() && operation.updates() && is_late(operation))
      wrong = "an update is not finished before the first final read";
    return wrong.empty() ? std::nullopt : std::optional(builder_.malformed(index, wrong));
  }

 private:
  enum class Use : std::uint8_t { unknown, a_register, a_list };

  std::optional<Error> classify(std::size_t index) {
    const Operation& operation = builder_.history_.operations[index];
    const bool list = operation.function == Function::append || builder_.read_a_list_[index];
    const bool nil_read = operation.function == Function::read && operation.value == kNil;
    if (!list && nil_read) return std::nullopt;  // nil fits both
    const Use use = list ? Use::a_list : Use::a_register;
    const Use before = std::exchange(uses_[operation.key], use);
    builder_.history_.is_list[operation.key] = list;
    if (before == Use::unknown || before == use) return std::nullopt;
    return builder_.malformed(
        index, "a key is a register or a list for its whole life, and this one is both");
  }

  static std::string_view itself(const Operation& operation) {
    if (operation.outcome == Outcome::ok && operation.complete < operation.invoke)
      return "completes before it is invoked";
    if (operation.final && operation.function != Function::read) return "only a read can be final";
    const bool mismatch = operation.function == Function::cas && !operation.swapped;
    if (mismatch && operation.seen == operation.expected)
      return "a cas mismatch cannot have seen the value it expected";
    return {};
  }

  std::string_view in_its_session(const Operation& operation) {
    if (operation.function == Function::read && operation.is_info()) return {};
    std::int64_t& free_from = free_from_[operation.session];
    if (operation.invoke < free_from) return "overlaps an earlier operation of its own session";
    if (!operation.is_info()) free_from = operation.complete;
    return {};
  }

  bool is_late(const Operation& update) const {
    if (quiet_from_ == kNever) return false;
    return update.invoke >= quiet_from_ || (!update.is_info() && update.complete > quiet_from_);
  }

  HistoryBuilder& builder_;
  std::int64_t quiet_from_;              // the first final read's invocation
  std::vector<Use> uses_;                // per key
  std::vector<std::int64_t> free_from_;  // per session
};

void HistoryBuilder::sort_by_invocation() {
  const std::vector<std::size_t> order = invocation_order(history_.operations);
  history_.operations = permuted(history_.operations, order);
  lines_ = permuted(lines_, order);
  read_a_list_ = permuted(read_a_list_, order);
}

std::optional<Error> HistoryBuilder::take_sets() {
  if (!sets_) return std::nullopt;
  history_.is_list.assign(history_.keys.size(), false);  // for the message
  std::string_view why;
  const std::size_t wrong = make_sets(history_, values_, why);
  if (wrong != kNoMistake) return malformed(wrong, why);
  for (OperationId id = 0; id < history_.size(); ++id)
    read_a_list_[id] = history_.operations[id].function == Function::read;
  return std::nullopt;
}

Result<History> HistoryBuilder::finish() && {
  std::int64_t before = INT64_MIN, quiet_from = kNever;
  bool sorted = true;
  for (Operation& operation : history_.operations) {
    sorted = sorted && before <= operation.invoke;
    before = operation.invoke;
    const bool final = operation.final && operation.outcome == Outcome::ok;
    if (final) quiet_from = std::min(quiet_from, operation.invoke);
    if (!operation.is_info()) continue;
    operation.complete = kNever;
    operation.complete_ns = -1;
  }
  if (!sorted) sort_by_invocation();
  if (auto error = take_sets()) return *error;
  Examination examination(*this, quiet_from);
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    if (auto error = examination.look_at(i)) return *error;
  }
  return std::move(history_);
}

}  // namespace consistory
