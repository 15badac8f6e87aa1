#pragma once
// Schedule: runs the points of a trace in an order that respects session order and whatever else a
// point has to wait for; a topological sort that keeps one cursor a session instead of a graph.
// What a point waits for is asked one predecessor at a time, so no edge need ever be stored.
// O(points + predecessors asked for + waits).

#include <functional>
#include <vector>

#include "checkers/fast/trace.h"

namespace consistory {

class Schedule {
 public:
  explicit Schedule(const Trace& trace);

  /// `next_predecessor(point, asked)` gives the predecessors of a point one after the other,
  /// keeping count in `asked` (0 at first), and kNoPoint after the last. `visit` is called once a
  /// point, in order. False if a cycle keeps some points from running.
  template <class NextPredecessor, class Visit>
  bool run(const NextPredecessor& next_predecessor, const Visit& visit) {
    while (!ready_.empty()) {
      const std::uint32_t lane = ready_.back();
      ready_.pop_back();
      advance(lane, next_predecessor, visit);
    }
    return left_ == 0;
  }

  struct Wait {
    Point point = kNoPoint;
    Point blocker = kNoPoint;  ///< what must run before it
  };
  /// After run() failed: waits such that the blocker of each is, or comes in its session after, the
  /// point of the next, and so on around. The shortest such cycle among those there are.
  std::vector<Wait> cycle() const;
  /// Has the point been visited?
  bool ran(Point point) const { return position_in_lane(point) < cursor_[lane_of(point)]; }

 private:
  static constexpr std::uint32_t kNoLane = UINT32_MAX;

  // A lane is a session's chain, or an indeterminate update, which must wait for its session.
  std::uint32_t lane_of(Point point) const {
    return trace_.is_info(point) ? trace_.chains() + (point - trace_.first_info())
                                 : trace_.chain(point);
  }
  Point position_in_lane(Point point) const {
    return trace_.is_info(point) ? 0 : trace_.position(point);
  }
  Point point_at(std::uint32_t lane, Point position) const {
    return lane < trace_.chains() ? trace_.first(lane) + position
                                  : trace_.first_info() + (lane - trace_.chains());
  }
  Point length(std::uint32_t lane) const {
    return lane < trace_.chains() ? trace_.length(lane) : 1;
  }
  /// The session's operation that an indeterminate update comes after; kNoPoint.
  Point before_info(Point info) const {
    const Point position = trace_.position(info);
    return position == 0 ? kNoPoint : trace_.first(trace_.chain(info)) + position - 1;
  }

  template <class NextPredecessor, class Visit>
  void advance(std::uint32_t lane, const NextPredecessor& next_predecessor, const Visit& visit) {
    while (cursor_[lane] < length(lane)) {
      const Point point = point_at(lane, cursor_[lane]);
      Point blocker = waits_for_[lane];
      if (blocker == kNoPoint && trace_.is_info(point)) blocker = before_info(point);
      while (blocker == kNoPoint || ran(blocker)) {
        blocker = next_predecessor(point, asked_[lane]);
        if (blocker == kNoPoint) break;
      }
      waits_for_[lane] = blocker;
      if (blocker != kNoPoint) return wait(lane, blocker);
      asked_[lane] = 0;
      ++cursor_[lane];
      --left_;
      visit(point);
      wake(lane);
    }
  }

  void wait(std::uint32_t lane, Point blocker);
  void wake(std::uint32_t lane);

  const Trace& trace_;
  std::size_t left_;
  std::vector<Point> cursor_;
  std::vector<Point> waits_for_;      // per lane: what its next point waits for
  std::vector<std::uint32_t> asked_;  // per lane: predecessors of its next point asked for
  std::vector<std::uint32_t> first_waiter_, next_waiter_;  // per lane: who waits for one of it
  std::vector<std::uint32_t> ready_;
};

}  // namespace consistory
