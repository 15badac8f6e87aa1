#pragma once
// Refutes sequential consistency by what must come before what (the first rounds of the saturation
// of Zennou et al. 2019, on the whole history at once): session order; source before reader; an
// update that a reader of w sees before w; and who read an update before whatever overwrites it. A
// cycle is a refutation; no cycle says nothing.
//
// "Sees" is the causal past. Of each session only the last update of a key is said, since a
// session's own order says the rest; who read an update is said once, through a node of its own.

#include "checkers/fast/finding.h"
#include "checkers/fast/visibility.h"

namespace consistory {

/// violated or declined. `causal` is the visibility of all four guarantees. Declines where more
/// than some ten million pairs would have to be said. O(n + pairs) time and memory.
Finding refute_one_order(const Trace& trace, const Visibility& causal);

}  // namespace consistory
