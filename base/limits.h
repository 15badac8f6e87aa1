#pragma once
// Safety nets of a judgement: how long it may take and how much memory the process may use. Unlike
// the budget in steps they depend on the machine, so that what they end is marked as not
// reproducible. No limit is set unless somebody asked for one.

#include <cstdint>
#include <exception>
#include <limits>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace consistory {

/// Thrown by check_time(); whoever judges turns it into `inconclusive`.
class OutOfTime : public std::exception {
 public:
  const char* what() const noexcept override { return "out of time"; }
};

/// While it lives, unless `span` is kNone, check_time() throws, in any thread, once `span`
/// nanoseconds have passed. An enclosing limit goes on to count. One thread makes and ends them,
/// innermost first.
class TimeLimit {
 public:
  static constexpr Nanos kNone = std::numeric_limits<Nanos>::max();

  explicit TimeLimit(Nanos span);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

 private:
  Nanos outer_;
};

/// What a long computation calls now and then, at least every few milliseconds. Any thread.
void check_time();

/// Allocations beyond `bytes` of data in this process throw std::bad_alloc from now on.
Status limit_memory(std::uint64_t bytes);

/// "500M", "2G", "900k", or bytes: 1 M at least.
Result<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace consistory
