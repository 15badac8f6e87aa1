#pragma once
// Frontier search (MODELS §3.1 SC-4) over a saturated Serialisation.
//
// With sources known, the set F of executed operations alone decides what can run next: an update
// runs once its predecessors are in F and no executed update of its key (nor INIT) has a pending
// reader other than itself; a read runs once its source ran. Reads, and updates that nobody reads,
// only remove obstacles and run greedily; only updates with readers are branched on, those whose
// first reader was invoked earliest first, which on real histories rarely has to back up. Frontiers
// found dead are remembered, whole, so that no hash collision can turn into a verdict.

#include "checkers/order/serialisation.h"

namespace consistory {

Answer search(const Serialisation& problem, Budget& budget);

}  // namespace consistory
