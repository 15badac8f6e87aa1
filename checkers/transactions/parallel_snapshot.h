#pragma once
// Parallel snapshot isolation (Sovran et al. 2011; Cerone, Bernardi and Gotsman 2015): session
// order, reads-from and the order of writes, taken together, have no cycle, and no cycle with one
// anti-dependency more.

#include "checkers/transactions/commit_order.h"

namespace consistory {

/// For histories of which causal holds and snapshot does not, or is open. Exact for lists of which
/// every append is read; for registers it saturates and guesses, and leaves open what neither
/// tells.
CommitAnswer decide_parallel_snapshot(const Dependencies& dependencies);

}  // namespace consistory
