#include "nemesis/schedule.h"

#include <algorithm>

namespace consistory {
namespace {

constexpr Nanos kQuietStart = 700 * kMillisecond;
constexpr Nanos kQuietEnd = 1'500 * kMillisecond;
constexpr Nanos kEveryMin = 1'900 * kMillisecond;
constexpr Nanos kEveryMax = 10 * kSecond;
constexpr Nanos kSpanMax = 5 * kSecond;

}  // namespace

std::vector<PlannedFault> plan_faults(const std::vector<FaultSpec>& specs,
                                      const ScheduleOptions& options, Random random) {
  std::vector<PlannedFault> plan;
  if (specs.empty()) return plan;
  const Nanos usable = std::max<Nanos>(options.duration - kQuietStart - kQuietEnd, 0);
  const auto rounds = static_cast<Nanos>(2 * specs.size());
  const Nanos every =
      options.every > 0 ? options.every : std::clamp(usable / rounds, kEveryMin, kEveryMax);
  const Nanos span = options.span > 0 ? options.span : std::min(every * 6 / 10, kSpanMax);
  std::vector<FaultSpec> round;
  for (Nanos at = kQuietStart; at + span <= options.duration - kQuietEnd || plan.empty();
       at += every) {
    if (round.empty()) round = specs;
    const std::size_t pick = random.below(round.size());
    plan.push_back({round[pick], at, span, false});
    round.erase(round.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  return plan;
}

}  // namespace consistory
