#pragma once
// When which fault strikes: drawn from the seed before the run, as data.

#include <vector>

#include "nemesis/fault.h"

namespace consistory {

struct PlannedFault {
  FaultSpec spec;
  Nanos at = 0;        ///< since the load began
  Nanos span = 0;      ///< until healed
  bool exact = false;  ///< at that time even if an earlier fault took long to heal
};

struct ScheduleOptions {
  Nanos duration = 0;  ///< of the load
  Nanos every = 0;     ///< between the starts of two faults; 0: fitted to the duration
  Nanos span = 0;      ///< of each fault; 0: fitted
};

/// One fault at a time. Each kind strikes at least twice if the duration allows it, in an order
/// drawn from the seed; the start and the end of the load stay quiet, so that there are reads
/// before the first fault and after the last one.
std::vector<PlannedFault> plan_faults(const std::vector<FaultSpec>& specs,
                                      const ScheduleOptions& options, Random random);

}  // namespace consistory
