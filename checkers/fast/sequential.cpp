#include "checkers/fast/sequential.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "checkers/fast/blocks.h"

namespace consistory {
namespace {

/// What each point must find or follow. A list read is a read of its last element, since an append
/// can only come right after the one that lists show before it.
struct Rules {
  std::vector<Point> source;           // of a reading point: an update, or kInitial
  std::vector<std::uint32_t> readers;  // per update: how many read it
  std::vector<std::uint32_t> initial;  // per key: how many read the initial value
  std::vector<Point> after;            // per update: the one that must run before it; kNoPoint

  explicit Rules(const Trace& trace)
      : source(trace.size(), kNoPoint),
        readers(trace.size(), 0),
        initial(trace.keys(), 0),
        after(trace.size(), kNoPoint) {
    for (Point point = 0; point < trace.size(); ++point) note_source(trace, point);
    if (!trace.has_lists() && !trace.has_versions()) return;
    const PointLists keys = points_of_keys(trace);
    for (KeyId key = 0; key < trace.keys(); ++key) {
      if (trace.is_list(key)) chain(list_order(trace, key, keys.of(key)));
      else chain(by_version(trace, keys.of(key)));
    }
  }

 private:
  void note_source(const Trace& trace, Point point) {
    if (!trace.reads(point)) return;
    source[point] = trace.source(point);
    if (trace.reads_list(point)) {
      const auto list = trace.history().elements_of(trace.operation(point));
      source[point] = list.empty() ? kInitial : trace.append_of(trace.key(point), list.back());
    }
    if (source[point] == kInitial) ++initial[trace.key(point)];
    else ++readers[source[point]];
  }

  void chain(const std::vector<Point>& order) {
    for (std::size_t i = 1; i < order.size(); ++i) after[order[i]] = order[i - 1];
  }

  /// As the longest read shows it; the appends that it lacks come after, in the order of their
  /// versions, and those without one in any.
  std::vector<Point> list_order(const Trace& trace, KeyId key, std::span<const Point> points) {
    const ListSlots list = ListSlots::of(trace, key, points);
    std::vector<Point> order;
    if (list.longest != kNoPoint) {
      for (const ValueId element : trace.history().elements_of(trace.operation(list.longest)))
        order.push_back(trace.append_of(key, element));
    }
    const std::size_t shown = order.size();
    const Point last = shown == 0 ? kNoPoint : order.back();
    for (const Point append : by_version(trace, points)) {
      const auto slot = std::lower_bound(list.slots.begin(), list.slots.end(),
                                         std::pair(append, std::uint64_t{0}));
      if (slot->second > 2 * shown) order.push_back(append);
    }
    for (const auto& [point, slot] : list.slots) {
      if (trace.updates(point) && slot > 2 * shown) after[point] = last;
    }
    return order;
  }
};

/// Lower runs first.
using Priorities = std::vector<std::int64_t>;

class Replay {
 public:
  Replay(const Trace& trace, const Rules& rules, const Priorities& priority)
      : trace_(trace),
        rules_(rules),
        priority_(priority),
        lanes_(trace.chains() + (trace.size() - trace.first_info())),
        cursor_(lanes_, 0),
        ran_(trace.size(), false),
        current_(trace.keys(), kInitial),
        pending_(rules.initial),
        parked_(trace.keys()),
        waiting_first_(trace.size(), kNone),
        waiting_next_(lanes_, kNone) {}

  bool succeeds() {
    for (std::uint32_t lane = 0; lane < lanes_; ++lane) advance(lane);
    while (!choices_.empty()) {
      const std::uint32_t lane = choices_.top().second;
      choices_.pop();
      const Point point = next_of(lane);
      if (!is_free(point)) {
        parked_[trace_.key(point)].push_back(lane);
        continue;
      }
      run(point);
      ++cursor_[lane];
      wake(point);
      advance(lane);
    }
    return count_ == trace_.size();
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  using Choice = std::pair<std::int64_t, std::uint32_t>;  // (priority, lane)

  Point length(std::uint32_t lane) const {
    return lane < trace_.chains() ? trace_.length(lane) : 1;
  }
  Point next_of(std::uint32_t lane) const {
    return lane < trace_.chains() ? trace_.first(lane) + cursor_[lane]
                                  : trace_.first_info() + (lane - trace_.chains());
  }

  /// What must have run before the point may; kNoPoint if all of it has.
  Point blocker(Point point) const {
    if (trace_.is_info(point) && trace_.position(point) > 0) {
      const Point before = trace_.first(trace_.chain(point)) + trace_.position(point) - 1;
      if (!ran_[before]) return before;
    }
    const Point source = rules_.source[point];
    if (source < kInitial && !ran_[source]) return source;
    const Point lower = rules_.after[point];
    return lower != kNoPoint && !ran_[lower] ? lower : kNoPoint;
  }

  /// May this update run now? A cas must find what it read, and be the last to read it.
  bool is_free(Point update) const {
    const KeyId key = trace_.key(update);
    if (!trace_.reads(update)) return pending_[key] == 0;
    return current_[key] == rules_.source[update] && pending_[key] == 1;
  }

  /// Runs what needs no choice; leaves the lane waiting, among the choices, or at its end.
  void advance(std::uint32_t lane) {
    while (cursor_[lane] < length(lane)) {
      const Point point = next_of(lane);
      const Point blocked = blocker(point);
      if (blocked != kNoPoint) {
        waiting_next_[lane] = waiting_first_[blocked];
        waiting_first_[blocked] = lane;
        return;
      }
      if (trace_.updates(point)) {
        choices_.emplace(priority_[point], lane);
        return;
      }
      if (current_[trace_.key(point)] != rules_.source[point]) return;  // overwritten: stuck
      run(point);
      ++cursor_[lane];
      wake(point);
    }
  }

  void run(Point point) {
    const KeyId key = trace_.key(point);
    ran_[point] = true;
    ++count_;
    if (trace_.updates(point)) {
      current_[key] = point;
      pending_[key] = rules_.readers[point];
    } else {
      --pending_[key];
    }
    if (pending_[key] > 1) return;
    for (const std::uint32_t lane : parked_[key]) choices_.emplace(priority_[next_of(lane)], lane);
    parked_[key].clear();
  }

  void wake(Point point) {
    std::uint32_t lane = waiting_first_[point];
    waiting_first_[point] = kNone;
    while (lane != kNone) {
      const std::uint32_t next = waiting_next_[lane];
      advance(lane);
      lane = next;
    }
  }

  const Trace& trace_;
  const Rules& rules_;
  const Priorities& priority_;
  std::uint32_t lanes_;
  std::size_t count_ = 0;
  std::vector<Point> cursor_;
  std::vector<bool> ran_;
  std::vector<Point> current_;          // per key: the update whose value it has
  std::vector<std::uint32_t> pending_;  // per key: who has still to read that
  std::vector<std::vector<std::uint32_t>> parked_;  // per key: lanes that may not overwrite it yet
  std::vector<std::uint32_t> waiting_first_, waiting_next_;  // per point: lanes that wait for it
  std::priority_queue<Choice, std::vector<Choice>, std::greater<>> choices_;
};

template <class Of>
Priorities priorities(const Trace& trace, const Of& of) {
  Priorities priority(trace.size());
  for (Point point = 0; point < trace.size(); ++point) priority[point] = of(point);
  return priority;
}

}  // namespace

Finding guess_sequential(const Trace& trace) {
  const Rules rules(trace);
  const auto first_reader = [&](Point point, auto&& stamp) {
    std::int64_t first = kNever;
    for (const Point reader : trace.readers_of(point))
      first = std::min(first, stamp(trace.operation(reader)));
    return first;
  };
  const auto invoked = [](const Operation& operation) { return operation.invoke; };
  const auto completed = [](const Operation& operation) { return operation.complete; };
  const std::function<std::int64_t(Point)> guesses[] = {
      [&](Point point) { return trace.operation(point).invoke; },
      [&](Point point) {
        return std::min(trace.operation(point).complete, first_reader(point, completed));
      },
      [&](Point point) { return first_reader(point, invoked); },
      [&](Point point) { return first_reader(point, completed); },
  };
  for (const auto& guess : guesses) {
    if (Replay(trace, rules, priorities(trace, guess)).succeeds()) return Finding::holds();
  }
  return Finding::declined();
}

}  // namespace consistory
