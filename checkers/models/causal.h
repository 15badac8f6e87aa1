#pragma once
// The causal models (MODELS §3.3) and PRAM (§3.4). Causal order co is the transitive closure of
// session order and reads-from.

#include "checkers/models/judging.h"

namespace consistory {

/// CC, weak causal consistency (Bouajjani et al. 2017): each read is explained by some order of its
/// own causal past. Polynomial for a given resolution.
ModelVerdict judge_weak_causal(const History& history, Budget& budget);

/// CCv, causal convergence: weak causal, and one arbitration of updates for all reads. Polynomial.
ModelVerdict judge_causal_convergence(const History& history, Budget& budget);

/// CM, causal memory (Ahamad et al. 1995): each session has one order of its causal past that
/// explains all its reads. Polynomial, but for sessions with an observed indeterminate cas.
ModelVerdict judge_causal_memory(const History& history, Budget& budget);

/// PRAM (Lipton and Sandberg 1988): each session has one order of all updates, extending every
/// session's order, that explains its reads.
ModelVerdict judge_pram(const History& history, Budget& budget);

/// so ∪ rf over the points.
OrderGraph causal_order(const Resolved& resolved);

}  // namespace consistory
