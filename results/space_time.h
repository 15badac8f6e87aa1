#pragma once
// The space-time diagram of a witness as SVG: a lane for each session with its operations, a lane
// for each node with the faults that struck it, and arrows from each write to who read it.
// Time is warped: every end of an operation takes one step, or the few nanoseconds that matter
// would vanish between the seconds that do not; the axis tells the real times.

#include <string>
#include <vector>

#include "results/run_record.h"

namespace consistory {

std::string space_time_svg(const Witness& witness, const std::vector<FaultRecord>& faults);

}  // namespace consistory
