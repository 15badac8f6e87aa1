#pragma once
// Session guarantees that need no more of a session's past than its own operations: none at all,
// monotonic reads, read your writes, both; and writes follow reads alone (MODELS §3.6). O(n).

#include "checkers/fast/finding.h"
#include "checkers/models/guarantees.h"

namespace consistory {

bool is_local(GuaranteeSet set);

/// Declines lists under writes follow reads.
Finding decide_local_guarantees(const Trace& trace, GuaranteeSet set);

}  // namespace consistory
