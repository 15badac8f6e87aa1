#include "checkers/fast/sequential.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "checkers/fast/blocks.h"

namespace consistory {
namespace {

/// Lower runs first.
using Priorities = std::vector<std::int64_t>;

class Replay {
 public:
  Replay(const Trace& trace, const Priorities& priority)
      : trace_(trace),
        priority_(priority),
        lanes_(trace.chains() + (trace.size() - trace.first_info())),
        cursor_(lanes_, 0),
        ran_(trace.size(), false),
        current_(trace.keys(), kInitial),
        pending_(trace.keys(), 0),
        parked_(trace.keys()),
        waiting_first_(trace.size(), kNone),
        waiting_next_(lanes_, kNone) {
    for (Point point = 0; point < trace.size(); ++point)
      pending_[trace.key(point)] += trace.source(point) == kInitial ? 1 : 0;
    next_version_.assign(trace.has_versions() ? trace.size() : 0, kNoPoint);
    if (trace.has_versions()) link_versions();
  }

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

  void link_versions() {
    const PointLists keys = points_of_keys(trace_);
    for (KeyId key = 0; key < trace_.keys(); ++key) {
      const std::vector<Point> order = by_version(trace_, keys.of(key));
      for (std::size_t i = 1; i < order.size(); ++i) next_version_[order[i]] = order[i - 1];
    }
  }

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
    const Point source = trace_.reads(point) ? trace_.source(point) : kNoPoint;
    if (source < kInitial && !ran_[source]) return source;
    const bool versioned = trace_.updates(point) && !next_version_.empty();
    const Point lower = versioned ? next_version_[point] : kNoPoint;
    return lower != kNoPoint && !ran_[lower] ? lower : kNoPoint;
  }

  /// May this update run now? A cas must find what it read, and be the last to read it.
  bool is_free(Point update) const {
    const KeyId key = trace_.key(update);
    if (!trace_.reads(update)) return pending_[key] == 0;
    return current_[key] == trace_.source(update) && pending_[key] == 1;
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
      if (current_[trace_.key(point)] != trace_.source(point)) return;  // overwritten: stuck
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
      pending_[key] = static_cast<std::uint32_t>(trace_.readers_of(point).size());
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
  const Priorities& priority_;
  std::uint32_t lanes_;
  std::size_t count_ = 0;
  std::vector<Point> cursor_;
  std::vector<bool> ran_;
  std::vector<Point> current_;          // per key: the update whose value it has
  std::vector<std::uint32_t> pending_;  // per key: who has still to read that
  std::vector<std::vector<std::uint32_t>> parked_;  // per key: lanes that may not overwrite it yet
  std::vector<std::uint32_t> waiting_first_, waiting_next_;  // per point: lanes that wait for it
  std::vector<Point> next_version_;  // per update: the one of the version below
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
  if (trace.has_lists()) return Finding::declined();
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
    if (Replay(trace, priorities(trace, guess)).succeeds()) return Finding::holds();
  }
  return Finding::declined();
}

}  // namespace consistory
