#pragma once
// The budget of the exponential searches, in steps and not in seconds, so that a verdict is the
// same on every machine. One per judgement of a model; not thread-safe.

#include <cstdint>

#include "base/limits.h"

namespace consistory {

constexpr std::uint64_t kDefaultCheckSteps = 20'000'000;

class Budget {
 public:
  explicit Budget(std::uint64_t steps) : limit_(steps) {}

  /// False once the budget is used up; then the question stays open (`inconclusive`). Throws
  /// OutOfTime where a time limit was set and is over.
  bool spend(std::uint64_t steps = 1) {
    used_ += steps;
    if (used_ / kStepsPerLook != (used_ - steps) / kStepsPerLook) check_time();
    return used_ <= limit_;
  }
  bool exhausted() const { return used_ > limit_; }
  std::uint64_t used() const { return used_; }
  std::uint64_t limit() const { return limit_; }

 private:
  static constexpr std::uint64_t kStepsPerLook = 1024;
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

}  // namespace consistory
