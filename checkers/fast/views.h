#pragma once
// Has every session one order of updates that explains its own reads? Causal memory and PRAM
// (MODELS §3.3, §3.4), by saturation, session by session.
//
// A session's operations are rows, in order. For every other session, "how much of it has arrived
// by this row" is a number that can only grow from row to row: at first, what the reads of the row
// rest on (the causal past; for PRAM the sources and what their sessions did before). A read of w
// that follows the arrival of another update of the key forces that update to have arrived no later
// than w did, with all it rests on. Once no read forces anything more, updates that arrive between
// the same two rows are the only ones left to order; unless that is a circle, the view exists
// (Bouajjani et al. 2017; the saturation is Zennou et al. 2019's, told by rows).
// O(n · sessions) for each sweep; a few sweeps in practice.

#include "checkers/fast/finding.h"
#include "checkers/fast/visibility.h"

namespace consistory {

/// `base` is what updates rest on: the causal past for causal memory. Without it, PRAM: a session's
/// own order. Declines where a session made an indeterminate cas that took effect, since that forks
/// the session.
Finding decide_views(const Trace& trace, const Visibility* base);

}  // namespace consistory
