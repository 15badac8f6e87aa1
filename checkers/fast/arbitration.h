#pragma once
// Is there one order of all updates in which every read returned the latest of what it had to see?
// Decides causal convergence (all four guarantees, theorem T1) and the sets of session guarantees
// that Visibility can follow (MODELS §3.3, §3.6).
//
// For a read of w, every other update of the key that the read sees must precede w. Of each session
// only the last such update need be said, since a session's own order says the rest: that leaves at
// most one edge a session for each update, and one scheduling pass to see whether they agree.
// O(n · sessions · log n) time; memory for the edges that session order and reads-from do not
// imply.

#include "checkers/fast/finding.h"
#include "checkers/fast/visibility.h"

namespace consistory {

Finding decide_arbitration(const Trace& trace, const Visibility& visibility);

/// Weak causal consistency: no read returns an update that another one it sees overwrote in the
/// causal past. `causal` is the visibility of all four guarantees; for traces of which causal
/// convergence does not hold, where this is quicker to answer.
Finding decide_weak_causal(const Trace& trace, const Visibility& causal);

/// The points that show why `reader` must have seen `update`, which it must.
std::vector<Point> explain_sight(const Trace& trace, const Visibility& visibility, Point reader,
                                 Point update);

}  // namespace consistory
