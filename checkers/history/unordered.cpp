#include "checkers/history/unordered.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace consistory {
namespace {

constexpr OperationId kNobody = UINT32_MAX;

bool adds(const Operation& operation) {
  return operation.function == Function::add || operation.function == Function::increment;
}

/// 1, 4, 16, …: what a counter's increments must be.
bool is_power_of_four(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  return number > 0 && (bits & (bits - 1)) == 0 && (bits & 0x5555555555555555U) != 0;
}

class Maker {
 public:
  Maker(History& history, ValueInterner& values) : history_(history), values_(values) {}

  std::size_t run(std::string_view& why) {
    history_.is_counter.assign(history_.keys.size(), false);
    kinds_.assign(history_.keys.size(), Function::read);
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!note(id, why)) return id;
    }
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!take(id, why)) return id;
    }
    rank_by_sight();
    for (Operation& operation : history_.operations) sort_elements(operation);
    history_.sets = true;
    return kNoMistake;
  }

 private:
  static std::uint64_t code(KeyId key, ValueId value) { return std::uint64_t{key} << 32 | value; }
  Operation& at(OperationId id) { return history_.operations[id]; }

  static bool refuse(std::string_view& why, std::string_view reason) {
    why = reason;
    return false;
  }

  /// An addition: of what kind is its key, and who added this element?
  bool note(OperationId id, std::string_view& why) {
    const Operation& operation = at(id);
    if (!adds(operation)) return true;
    const Value value = history_.values[operation.value];
    const bool counter = operation.function == Function::increment;
    if (counter && (value.kind != Value::Kind::integer || !is_power_of_four(value.integer)))
      return refuse(why,
                    "the increments of a counter must be distinct powers of four (1, 4, 16, …), so "
                    "that a sum tells which of them it counts");
    Function& kind = kinds_[operation.key];
    if (kind != Function::read && kind != operation.function)
      return refuse(why, "a key is a set or a counter for its whole life, and this one is both");
    kind = operation.function;
    history_.is_counter[operation.key] = counter;
    const bool fresh = adder_.emplace(code(operation.key, operation.value), id).second;
    return fresh || refuse(why, "an element is added once, and this one was added before");
  }

  /// Every operation becomes one of lists.
  bool take(OperationId id, std::string_view& why) {
    Operation& operation = at(id);
    operation.version = kNoVersion;  // of an order that means nothing
    if (adds(operation)) {
      operation.function = Function::append;
      return true;
    }
    if (operation.function != Function::read)
      return refuse(why,
                    "sets and counters (add, increment) stand by themselves: a history of them has "
                    "no other updates");
    if (operation.outcome != Outcome::ok) return true;
    if (kinds_[operation.key] == Function::increment) return decode(operation, why);
    const bool nothing = history_.values[operation.value] == Value::of(0);
    if (nothing && kinds_[operation.key] == Function::read) operation.value = kNil;  // a counter's
    if (operation.value != kNil) return refuse(why, "a set is read as an array of its elements");
    return true;
  }

  /// A sum as the increments that it counts, each as often as it counts it.
  bool decode(Operation& read, std::string_view& why) {
    const Value value = history_.values[std::exchange(read.value, kNil)];
    if (read.list.size > 0 || (!value.is_nil() && value.kind != Value::Kind::integer))
      return refuse(why, "a counter is read as an integer");
    std::vector<ValueId> elements;
    auto rest = static_cast<std::uint64_t>(value.is_nil() ? 0 : value.integer);
    for (unsigned digit = 0; rest > 0; ++digit, rest >>= 2) {
      const auto increment = static_cast<std::int64_t>(std::uint64_t{1} << 2 * digit);
      for (unsigned times = rest & 3U; times > 0; --times)
        elements.push_back(values_.intern(increment));
    }
    set_elements(history_, read, elements);
    return true;
  }

  std::vector<OperationId> seen_by(const Operation& read) const {
    std::vector<OperationId> adders;
    for (const ValueId element : history_.elements_of(read)) {
      const auto known = adder_.find(code(read.key, element));
      if (known != adder_.end()) adders.push_back(known->second);
    }
    return adders;
  }

  bool reads_the_future(const Operation& read) const {
    const auto seen = seen_by(read);
    return std::any_of(seen.begin(), seen.end(), [&](OperationId add) {
      return history_.operations[add].invoke >= read.complete;  // at one stamp: side by side
    });
  }

  /// By invocation; or, where something was read before it was added, after all that its session
  /// did and read before, by invocation among equals. A circle leaves the order of invocation.
  void rank_by_sight() {
    rank_.resize(history_.size());
    for (OperationId id = 0; id < history_.size(); ++id) rank_[id] = id;
    const auto& all = history_.operations;
    if (std::none_of(all.begin(), all.end(), [&](const auto& op) { return reads_the_future(op); }))
      return;
    std::vector<std::vector<OperationId>> after(history_.size());
    std::vector<std::uint32_t> waiting(history_.size(), 0);
    std::vector<OperationId> last(history_.sessions.size(), kNobody);
    const auto order = [&](OperationId before, OperationId behind) {
      after[before].push_back(behind);
      ++waiting[behind];
    };
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = at(id);
      OperationId& before = last[operation.session];
      if (before != kNobody) order(before, id);
      if (operation.outcome == Outcome::ok) before = id;
      for (const OperationId add : seen_by(operation)) order(add, id);
    }
    std::priority_queue<OperationId, std::vector<OperationId>, std::greater<>> ready;
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (waiting[id] == 0) ready.push(id);
    }
    std::vector<OperationId> ranks(history_.size());
    OperationId next = 0;
    for (; !ready.empty(); ++next) {
      const OperationId id = ready.top();
      ready.pop();
      ranks[id] = next;
      for (const OperationId behind : after[id]) {
        if (--waiting[behind] == 0) ready.push(behind);
      }
    }
    if (next == history_.size()) rank_ = std::move(ranks);
  }

  /// What nobody added comes last.
  void sort_elements(const Operation& read) {
    const auto begin = history_.elements.begin() + read.list.begin;
    const auto place = [&](ValueId element) {
      const auto known = adder_.find(code(read.key, element));
      return std::pair(known == adder_.end() ? kNobody : rank_[known->second], element);
    };
    std::sort(begin, begin + read.list.size,
              [&](ValueId a, ValueId b) { return place(a) < place(b); });
  }

  History& history_;
  ValueInterner& values_;
  std::vector<Function> kinds_;  // per key: how it is added to; read: nobody does
  tsl::robin_map<std::uint64_t, OperationId, MixHash> adder_;  // by key and element
  std::vector<OperationId> rank_;
};

}  // namespace

std::size_t make_sets(History& history, ValueInterner& values, std::string_view& why) {
  return Maker(history, values).run(why);
}

}  // namespace consistory
