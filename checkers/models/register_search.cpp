#include "checkers/models/register_search.h"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace consistory {
namespace {

bool counts(const Operation& operation) {
  return operation.outcome != Outcome::fail &&
         !(operation.is_info() && operation.function == Function::read);
}

ValueId written(const Operation& update) {
  return update.function == Function::remove ? kNil : update.value;
}

bool is_blind_mismatch(const Operation& operation) {
  return operation.function == Function::cas && !operation.updates() && !operation.has_seen();
}

class Search {
 public:
  Search(const History& history, const std::vector<OperationId>& operations, Budget& budget)
      : budget_(budget) {
    std::set<ValueId> returned;
    bool any_value = false;
    for (const OperationId id : operations) {
      const Operation& operation = history.operations[id];
      if (!counts(operation)) continue;
      any_value = any_value || is_blind_mismatch(operation);
      if (operation.function == Function::read) returned.insert(operation.value);
      if (operation.function == Function::cas)
        returned.insert(operation.updates() ? operation.expected : operation.seen);
    }
    for (const OperationId id : operations) {
      const Operation& operation = history.operations[id];
      // What nobody can have seen may as well never have happened (MODELS §1.4).
      const bool unseen =
          operation.is_info() && !any_value && !returned.contains(written(operation));
      if (counts(operation) && !unseen) ops_.push_back(&operation);
    }
    placed_.assign(ops_.size(), false);
    for (const Operation* op : ops_) required_ += op->is_info() ? 0 : 1;
  }

  Answer run() {
    place_reads();
    if (required_ == 0) return Answer::yes;
    stack_.push_back({candidates(), 0, kNil, {}});
    while (!stack_.empty()) {
      if (!budget_.spend()) return Answer::open;
      Frame& frame = stack_.back();
      if (frame.next == frame.candidates.size()) {
        undo();
        continue;
      }
      place(frame.candidates[frame.next++]);
      if (required_ == 0) return Answer::yes;
      if (!dead_.insert(code()).second) unplace_last();
      else stack_.push_back({candidates(), 0, value_, {}});
    }
    return Answer::no;
  }

 private:
  /// A place in the search: updates that may come next, and what was placed to get here.
  struct Frame {
    std::vector<std::uint32_t> candidates;
    std::size_t next = 0;
    ValueId value = kNil;                // before the update under trial
    std::vector<std::uint32_t> trail{};  // placed by the update under trial, itself first
  };

  bool fits(const Operation& op) const {
    if (op.function == Function::read) return op.value == value_;
    if (op.function != Function::cas) return true;
    if (op.updates()) return op.expected == value_;
    return op.has_seen() ? op.seen == value_ : op.expected != value_;
  }

  /// What may come next in real time: invoked before anything left has completed.
  template <class Visit>
  void for_each_open(const Visit& visit) const {
    std::int64_t deadline = kNever;
    for (std::size_t i = first_; i < ops_.size() && ops_[i]->invoke <= deadline; ++i) {
      if (placed_[i]) continue;
      visit(static_cast<std::uint32_t>(i));
      deadline = std::min(deadline, ops_[i]->complete);
    }
  }

  std::vector<std::uint32_t> candidates() const {
    std::vector<std::uint32_t> updates;
    std::int64_t deadline = kNever;
    for_each_open([&](std::uint32_t i) { deadline = std::min(deadline, ops_[i]->complete); });
    for_each_open([&](std::uint32_t i) {
      const Operation& op = *ops_[i];
      if (!op.updates() || !fits(op) || op.invoke > deadline) return;
      const bool twin = std::any_of(updates.begin(), updates.end(), [&](std::uint32_t other) {
        return op.is_info() && ops_[other]->is_info() && ops_[other]->function == op.function &&
               ops_[other]->value == op.value && ops_[other]->expected == op.expected;
      });
      if (!twin) updates.push_back(i);
    });
    // What completes first is likeliest to have come first.
    std::stable_sort(updates.begin(), updates.end(), [&](std::uint32_t a, std::uint32_t b) {
      return ops_[a]->complete < ops_[b]->complete;
    });
    return updates;
  }

  void put(std::uint32_t i) {
    placed_[i] = true;
    required_ -= ops_[i]->is_info() ? 0 : 1;
    while (first_ < ops_.size() && placed_[first_]) ++first_;
    if (!stack_.empty()) stack_.back().trail.push_back(i);
  }

  /// Reads that fit the value, as long as there are any open.
  void place_reads() {
    for (bool again = true; again;) {
      again = false;
      std::int64_t deadline = kNever;
      for_each_open([&](std::uint32_t i) { deadline = std::min(deadline, ops_[i]->complete); });
      std::vector<std::uint32_t> reads;
      for_each_open([&](std::uint32_t i) {
        const Operation& op = *ops_[i];
        if (!op.updates() && op.invoke <= deadline && fits(op)) reads.push_back(i);
      });
      for (const std::uint32_t i : reads) put(i);
      again = !reads.empty();
    }
  }

  void place(std::uint32_t update) {
    stack_.back().value = value_;
    put(update);
    value_ = written(*ops_[update]);
    place_reads();
  }

  void unplace_last() {
    Frame& frame = stack_.back();
    for (const std::uint32_t i : frame.trail) {
      placed_[i] = false;
      required_ += ops_[i]->is_info() ? 0 : 1;
      first_ = std::min<std::size_t>(first_, i);
    }
    frame.trail.clear();
    value_ = frame.value;
  }

  void undo() {
    stack_.pop_back();
    if (!stack_.empty()) unplace_last();
  }

  /// The open window and the value, whole: no collision can turn into a verdict.
  std::u32string code() const {
    std::u32string code = {static_cast<char32_t>(first_), static_cast<char32_t>(value_)};
    std::size_t last = ops_.size();
    while (last > first_ && !placed_[last - 1]) --last;
    for (std::size_t i = first_; i < last; ++i) {
      if (placed_[i]) code.push_back(static_cast<char32_t>(i));
    }
    return code;
  }

  Budget& budget_;
  std::vector<const Operation*> ops_;
  std::vector<bool> placed_;
  std::size_t first_ = 0;     // everything before it is placed
  std::size_t required_ = 0;  // completed operations left
  ValueId value_ = kNil;
  std::vector<Frame> stack_;
  std::unordered_set<std::u32string> dead_;
};

}  // namespace

bool values_repeat(const History& history, const std::vector<OperationId>& operations) {
  std::set<std::pair<KeyId, ValueId>> values;
  return std::any_of(operations.begin(), operations.end(), [&](OperationId id) {
    const Operation& operation = history.operations[id];
    if (!counts(operation)) return false;
    if (is_blind_mismatch(operation)) return true;
    if (!operation.updates()) return false;
    const bool initial = written(operation) == kNil;
    return initial || !values.insert({operation.key, written(operation)}).second;
  });
}

Answer linearize_register(const History& history, const std::vector<OperationId>& operations,
                          Budget& budget) {
  return Search(history, operations, budget).run();
}

}  // namespace consistory
