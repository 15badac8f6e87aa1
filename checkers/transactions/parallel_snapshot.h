#pragma once
// Parallel snapshot isolation (Sovran et al. 2011; Cerone, Bernardi and Gotsman 2015): session
// order, reads-from and the order of writes, taken together, have no cycle, and no cycle with one
// anti-dependency more.

#include "checkers/transactions/commit_order.h"

namespace consistory {

/// For histories of which causal holds and snapshot does not, or is open. What follows from the
/// reads first, then an order of the writes that is guessed by time, then both orders of an open
/// pair; `steps` bounds the links that are looked at.
CommitAnswer decide_parallel_snapshot(const Dependencies& dependencies, std::uint64_t steps);

}  // namespace consistory
