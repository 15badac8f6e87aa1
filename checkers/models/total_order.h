#pragma once
// The models that ask for one total order of all operations: sequential, linearizable and cache
// (MODELS §3.1, §3.2).

#include "checkers/models/judging.h"

namespace consistory {

/// Lamport 1979: one order, extending every session's, that explains every read. NP-complete;
/// polynomial where versions or lists reveal the order of updates.
ModelVerdict judge_sequential(const History& history, Budget& budget);

/// Herlihy and Wing 1990: as sequential, and the order extends real time. Local: judged per key.
ModelVerdict judge_linearizable(const History& history, Budget& budget);

/// Goodman 1989 (per-key sequential, "coherence"): each key alone is sequential.
ModelVerdict judge_cache(const History& history, Budget& budget);

/// Adds the store's version order of each key: consecutive edges.
void add_version_order(const Resolved& resolved, OrderGraph& graph, std::uint32_t round);

}  // namespace consistory
