#pragma once
// Linearizability of any object whose sequential behaviour is known: the search of Wing and Gong
// (1993) with Lowe's (2017) memory of dead ends.
//
// The memory is keyed by what is open only: the first call not yet placed, those placed beyond it,
// and the object's state. Calls that fit and change nothing are placed at once, which loses
// nothing; of several equal indeterminate calls only the first invoked is tried. Exponential in the
// number of calls open at once, not in the length; what takes over 1 GB to remember stays open.
//
// An Object has: Call; State, which can be copied; State initial() const; and, of calls,
//   std::int64_t invoke(call), complete(call)   kNever of an indeterminate call
//   bool changes(call)                          may change the state
//   bool fits(call, state)                      may happen in it, with the result it had
//   State next(call, state)                     what it leaves behind, where it fits
//   bool same(call, call)                       indistinguishable but for their time
//   void code(state, std::u32string& into)      whole, so that no collision becomes a verdict
// and may have
//   bool is_lost(state, waiting, all)           no order leads on from here; `waiting` are the next
//                                               calls by invocation, all that are left or not
//   std::size_t bytes(state)                    what it takes beside itself

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "checkers/history/operation.h"
#include "checkers/order/budget.h"
#include "checkers/order/serialisation.h"

namespace consistory {

template <class Object>
class Linearizer {
 public:
  using Call = typename Object::Call;
  using State = typename Object::State;

  /// `calls` by the time of their invocation.
  Linearizer(const Object& object, std::vector<Call> calls, Budget& budget)
      : object_(object), budget_(budget), calls_(std::move(calls)), state_(object.initial()) {
    placed_.assign(calls_.size(), false);
    for (const Call& call : calls_) required_ += is_info(call) ? 0 : 1;
  }

  Answer run() {
    place_what_changes_nothing();
    if (required_ == 0) return Answer::yes;
    push();
    while (!stack_.empty()) {
      if (!budget_.spend() || bytes_ > kBytesMax) return Answer::open;
      Frame& frame = stack_.back();
      if (frame.next == frame.candidates.size()) {
        undo();
        continue;
      }
      place(frame.candidates[frame.next++]);
      if (required_ == 0) return Answer::yes;
      if (is_lost() || !is_new()) unplace_last();
      else push();
    }
    return Answer::no;
  }

 private:
  static constexpr std::size_t kWaitingMax = 256;  ///< how far is_lost() looks ahead
  static constexpr std::size_t kBytesMax = std::size_t{1} << 30;

  /// A place in the search: what may come next, and what was placed to get here.
  struct Frame {
    std::vector<std::uint32_t> candidates;
    std::size_t next = 0;
    State state;                         // before the call under trial
    std::vector<std::uint32_t> trail{};  // placed by the call under trial, itself first
  };

  void push() {
    stack_.push_back({candidates(), 0, state_, {}});
    bytes_ += sizeof(Frame) + bytes_of(state_);
  }

  bool is_new() {
    std::u32string here = code();
    bytes_ += here.size() * sizeof(char32_t) + 64;
    return dead_.insert(std::move(here)).second;
  }

  std::size_t bytes_of(const State& state) const {
    if constexpr (requires { object_.bytes(state); }) return object_.bytes(state);
    return 0;
  }

  bool is_info(const Call& call) const { return object_.complete(call) == kNever; }

  /// What may come next in real time: invoked before anything left has completed.
  std::vector<std::uint32_t> open() const {
    std::vector<std::uint32_t> found;
    std::int64_t deadline = kNever;
    for (std::size_t i = first_; i < calls_.size() && object_.invoke(calls_[i]) <= deadline; ++i) {
      if (placed_[i]) continue;
      found.push_back(static_cast<std::uint32_t>(i));
      deadline = std::min(deadline, object_.complete(calls_[i]));
    }
    std::erase_if(found, [&](std::uint32_t i) { return object_.invoke(calls_[i]) > deadline; });
    return found;
  }

  std::vector<std::uint32_t> candidates() const {
    std::vector<std::uint32_t> found;
    for (const std::uint32_t i : open()) {
      const Call& call = calls_[i];
      if (!object_.changes(call) || !object_.fits(call, state_)) continue;
      const bool twin = is_info(call) && std::any_of(found.begin(), found.end(), [&](auto other) {
                          return is_info(calls_[other]) && object_.same(call, calls_[other]);
                        });
      if (!twin) found.push_back(i);
    }
    // What completes first is likeliest to have come first.
    std::stable_sort(found.begin(), found.end(), [&](std::uint32_t a, std::uint32_t b) {
      return object_.complete(calls_[a]) < object_.complete(calls_[b]);
    });
    return found;
  }

  bool is_lost() const {
    if constexpr (requires { object_.is_lost(state_, std::vector<Call>(), true); }) {
      std::vector<Call> waiting;
      std::size_t i = first_;
      for (; i < calls_.size() && waiting.size() < kWaitingMax; ++i) {
        if (!placed_[i]) waiting.push_back(calls_[i]);
      }
      return object_.is_lost(state_, waiting, i == calls_.size());
    }
    return false;
  }

  void put(std::uint32_t i) {
    placed_[i] = true;
    required_ -= is_info(calls_[i]) ? 0 : 1;
    while (first_ < calls_.size() && placed_[first_]) ++first_;
    if (!stack_.empty()) stack_.back().trail.push_back(i);
  }

  void place_what_changes_nothing() {
    for (bool again = true; again;) {
      again = false;
      for (const std::uint32_t i : open()) {
        if (object_.changes(calls_[i]) || !object_.fits(calls_[i], state_)) continue;
        put(i);
        again = true;
      }
    }
  }

  void place(std::uint32_t i) {
    stack_.back().state = state_;
    put(i);
    state_ = object_.next(calls_[i], state_);
    place_what_changes_nothing();
  }

  void unplace_last() {
    Frame& frame = stack_.back();
    for (const std::uint32_t i : frame.trail) {
      placed_[i] = false;
      required_ += is_info(calls_[i]) ? 0 : 1;
      first_ = std::min<std::size_t>(first_, i);
    }
    frame.trail.clear();
    state_ = frame.state;
  }

  void undo() {
    bytes_ -= sizeof(Frame) + bytes_of(stack_.back().state);
    stack_.pop_back();
    if (!stack_.empty()) unplace_last();
  }

  std::u32string code() const {
    std::u32string code = {static_cast<char32_t>(first_)};
    std::int64_t deadline = kNever;  // nothing invoked after an open call's completion is placed
    for (std::size_t i = first_; i < calls_.size() && object_.invoke(calls_[i]) <= deadline; ++i) {
      if (!placed_[i]) deadline = std::min(deadline, object_.complete(calls_[i]));
      if (placed_[i]) code.push_back(static_cast<char32_t>(i));
    }
    code.push_back(static_cast<char32_t>(-1));
    object_.code(state_, code);
    return code;
  }

  const Object& object_;
  Budget& budget_;
  std::vector<Call> calls_;
  std::vector<bool> placed_;
  std::size_t first_ = 0;     // everything before it is placed
  std::size_t required_ = 0;  // completed calls left
  State state_;
  std::vector<Frame> stack_;
  std::unordered_set<std::u32string> dead_;
  std::size_t bytes_ = 0;  // of frames and dead places
};

}  // namespace consistory
