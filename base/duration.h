#pragma once
// Durations on the command line and in files: a number with a unit (250ms, 5s, 2m). A bare number
// is refused, because "5" has been read as both seconds and milliseconds.

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace consistory {

/// 1 ns to 24 h.
Result<Nanos> parse_duration(std::string_view text);

/// "250ms", "1.5s": the largest unit that keeps at most three decimals.
std::string format_duration(Nanos span);

}  // namespace consistory
