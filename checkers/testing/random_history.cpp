#include "checkers/testing/random_history.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "checkers/history/builder.h"

namespace consistory {
namespace {

class Simulation {
 public:
  Simulation(Random& random, const HistoryShape& shape)
      : random_(random), shape_(shape), free_from_(shape.sessions, 0), state_(shape.keys) {
    for (std::size_t key = 0; key < shape.keys; ++key)
      is_list_.push_back(random.chance(shape.lists));
  }

  History run() {
    std::vector<RawOperation> operations;
    for (std::size_t i = 0; i < shape_.operations; ++i) operations.push_back(next());
    if (random_.chance(0.3)) swap_two_reads(operations);
    if (random_.chance(0.3)) add_final_reads(operations);
    HistoryBuilder builder;
    for (const RawOperation& raw : operations) builder.add(raw);
    Result<History> history = std::move(builder).finish();
    CONSISTORY_CHECK(history, history ? "" : history.error().message);
    return std::move(*history);
  }

 private:
  static constexpr std::int64_t kDeleted = -1;
  struct State {
    std::vector<std::int64_t> written;  // in the order of the simulated store; kDeleted: nothing
    std::int64_t version = 0;
  };

  void add_final_reads(std::vector<RawOperation>& operations) {
    std::int64_t quiet = 0;
    for (const RawOperation& raw : operations) {
      quiet = std::max(quiet, raw.invoke + 1);
      if (raw.complete != kNever) quiet = std::max(quiet, raw.complete + 1);
    }
    for (std::size_t node = 0; node < 2; ++node) {
      for (std::size_t key = 0; key < shape_.keys; ++key) {
        RawOperation raw;
        raw.session = "F" + std::to_string(node);
        raw.node = "n" + std::to_string(node + 1);
        raw.key = "k" + std::to_string(key);
        raw.final = true;
        raw.invoke = quiet++;
        raw.complete = quiet++;
        read(raw, state_[key], is_list_[key]);
        operations.push_back(std::move(raw));
      }
    }
  }

  /// Makes some reads return what comes only later, and others what is long gone.
  void swap_two_reads(std::vector<RawOperation>& operations) {
    RawOperation& a = operations[random_.below(operations.size())];
    RawOperation& b = operations[random_.below(operations.size())];
    const bool reads = a.function == Function::read && b.function == Function::read;
    if (!reads || a.key != b.key) return;
    std::swap(a.value, b.value);
    std::swap(a.elements, b.elements);
    std::swap(a.version, b.version);
  }

  RawOperation next() {
    const std::size_t session = random_.below(shape_.sessions);
    const std::size_t key = random_.below(shape_.keys);
    RawOperation raw;
    raw.session = std::string(1, static_cast<char>('A' + session));
    raw.key = "k" + std::to_string(key);
    raw.invoke = free_from_[session] + 1 + static_cast<std::int64_t>(random_.below(4));
    raw.complete = raw.invoke + 1 + static_cast<std::int64_t>(random_.below(12));
    clock_ = std::max(clock_, raw.invoke);
    free_from_[session] = raw.complete;
    if (random_.chance(0.5)) update(raw, state_[key], is_list_[key]);
    else read(raw, state_[key], is_list_[key]);
    return raw;
  }

  void update(RawOperation& raw, State& state, bool list) {
    raw.value = Value::of(fresh_value(state));
    raw.function = list ? Function::append : Function::write;
    const bool deletes = !list && random_.chance(shape_.deletes);
    if (deletes) {
      raw.function = Function::remove;
      raw.value = Value::nil();
    } else if (!list && random_.chance(shape_.cas)) {
      raw.function = Function::cas;
      raw.expected = picked(state);
      if (random_.chance(shape_.mismatches)) return mismatch(raw, state);
    }
    if (random_.chance(shape_.info)) {
      raw.outcome = Outcome::info;
      raw.complete = kNever;
      if (random_.chance(0.3)) return;  // never took effect
    }
    state.written.push_back(deletes ? kDeleted : raw.value.integer);
    ++state.version;
    if (random_.chance(shape_.versions)) raw.version = state.version;
  }

  /// It must have met something else, or the history would be malformed.
  void mismatch(RawOperation& raw, const State& state) {
    raw.swapped = false;
    const Value met = picked(state);
    if (met != raw.expected && random_.chance(0.5)) raw.seen = met;
  }

  std::int64_t fresh_value(const State& state) {
    const bool again = !state.written.empty() && random_.chance(shape_.duplicates);
    const std::int64_t old = again ? state.written[random_.below(state.written.size())] : kDeleted;
    return old == kDeleted ? ++last_value_ : old;
  }

  /// Mostly the newest value, else any other, or nil.
  Value picked(const State& state) {
    const std::size_t count = state.written.size();
    if (count == 0) return Value::nil();
    if (!random_.chance(shape_.stale)) return made(state.written.back());
    const std::size_t at = random_.below(count + 1);
    return at == count ? Value::nil() : made(state.written[at]);
  }

  static Value made(std::int64_t written) {
    return written == kDeleted ? Value::nil() : Value::of(written);
  }

  void read(RawOperation& raw, const State& state, bool list) {
    if (!list) {
      raw.value = picked(state);
      const bool newest = !state.written.empty() && raw.value == made(state.written.back());
      if (newest && random_.chance(shape_.versions)) raw.version = state.version;
      return;
    }
    raw.elements.emplace();
    for (const std::int64_t value : state.written) {
      if (!random_.chance(shape_.stale / 4)) raw.elements->push_back(Value::of(value));
    }
    if (raw.elements->size() > 1 && random_.chance(shape_.stale / 3)) {
      const std::size_t at = random_.below(raw.elements->size() - 1);
      std::swap((*raw.elements)[at], (*raw.elements)[at + 1]);
    }
    const bool old = random_.chance(shape_.stale / 2) && !raw.elements->empty();
    if (old) raw.elements->resize(random_.below(raw.elements->size()));
  }

  Random& random_;
  const HistoryShape& shape_;
  std::vector<std::int64_t> free_from_;
  std::vector<State> state_;
  std::vector<bool> is_list_;
  std::int64_t clock_ = 0;
  std::int64_t last_value_ = 0;
};

}  // namespace

History random_history(Random& random, const HistoryShape& shape) {
  return Simulation(random, shape).run();
}

HistoryShape random_shape(Random& random, std::size_t operations_max) {
  HistoryShape shape;
  shape.operations = 2 + random.below(operations_max - 1);
  shape.sessions = 1 + random.below(operations_max > 50 ? 9 : 4);
  shape.keys = 1 + random.below(operations_max > 50 ? 6 : 3);
  shape.lists = random.chance(0.3) ? 0.5 : 0;
  shape.cas = random.chance(0.3) ? 0.4 : 0;
  shape.info = random.chance(0.4) ? 0.25 : 0;
  shape.versions = random.chance(0.2) ? 0.6 : 0;
  shape.stale = random.chance(0.5) ? 0.15 : 0.6;
  shape.deletes = random.chance(0.2) ? 0.3 : 0;
  shape.mismatches = shape.cas > 0 && random.chance(0.5) ? 0.4 : 0;
  return shape;
}

std::string text_of(const History& history) {
  std::string text;
  for (const Operation& operation : history.operations) {
    text += operation_text(history, operation) + " [" + std::to_string(operation.invoke) + "," +
            (operation.complete == kNever ? "-" : std::to_string(operation.complete)) + "]\n";
  }
  return text;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace consistory
