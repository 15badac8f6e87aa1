#pragma once
// Pace: when a load's next operation is due, and what else loads of operations and of transactions
// have in common.

#include <algorithm>

#include "base/clock.h"

namespace consistory {

constexpr double kMoveChance = 0.3;                ///< that a moving session changes its node
constexpr Nanos kWatchEvery = 200 * kMillisecond;  ///< between looks at the nodes
constexpr Nanos kLateMax = 60 * kSecond;           ///< for a client that ignores its timeout
constexpr Nanos kPollMax = 50 * kMillisecond;

/// `rate` operations a second; 0: as soon as a session is free. Times count from the load's start.
class Pace {
 public:
  explicit Pace(double rate) : interval_(rate > 0 ? static_cast<Nanos>(kSecond / rate) : 0) {}

  /// A stall is not made up for by a burst.
  void forgive(Nanos now) { next_due_ = std::max(next_due_, now - kBacklogMax); }
  bool is_due(Nanos now) const { return next_due_ <= now; }
  void issued(Nanos now) { next_due_ = interval_ > 0 ? next_due_ + interval_ : now; }
  /// How long to wait for completions: no longer than until the next operation is due.
  Nanos wait(Nanos now, bool all_busy) const {
    const Nanos wait = all_busy || interval_ == 0 ? kPollMax : next_due_ - now;
    return std::clamp(wait, kMillisecond, kPollMax);
  }

 private:
  static constexpr Nanos kBacklogMax = 100 * kMillisecond;

  Nanos interval_;
  Nanos next_due_ = 0;
};

}  // namespace consistory
