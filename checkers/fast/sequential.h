#pragma once
// Sequential consistency by guessing one order and replaying it (MODELS §3.1: deciding it is
// NP-complete, but the histories of real stores rarely need more than a good guess).
//
// Operations run session by session as soon as they legally can: a read when its source is the
// current value, an update when nobody has still to read the value it overwrites. Only which of
// several updates runs first is a choice; it is made by a priority. If all operations get to run,
// that order is the proof. If not, nothing is said.

#include "checkers/fast/finding.h"

namespace consistory {

/// holds or declined; for traces of which `cache` holds. O(n · sessions) for each of a few
/// priorities.
Finding guess_sequential(const Trace& trace);

}  // namespace consistory
