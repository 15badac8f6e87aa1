#pragma once
// What the store was worth while it was on trial: share of ok operations, gaps, recovery, and
// acknowledged updates that are missing at the end (DESIGN §4.5).

#include "results/run_record.h"

namespace consistory {

Availability measure_availability(const History& history, const std::vector<FaultRecord>& faults);

}  // namespace consistory
