#pragma once
// The one clock: nanoseconds of the monotonic clock. No decision anywhere looks at the wall clock;
// its one use is the name and date of a run (calendar_utc).

#include <cstdint>
#include <string>

namespace consistory {

using Nanos = std::int64_t;
constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kSecond = 1'000 * kMillisecond;

/// Nanoseconds on CLOCK_MONOTONIC; any thread.
Nanos monotonic_now();

/// Blocks for about `span` nanoseconds (for poll loops that have a deadline).
void pause_for(Nanos span);

/// "20261123-071154" (UTC), for names of run directories.
std::string calendar_utc();

}  // namespace consistory
