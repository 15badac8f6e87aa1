#pragma once
// What the replicas agree on once updates stopped and faults healed (MODELS §3.5). Judged on the
// final reads of the quiescent phase; without a final read of every key at every node the answer is
// `not-checked`, unless the reads there are refute already.

#include "checkers/models/judging.h"

namespace consistory {

/// Why the final reads do not cover every (key, node); empty if they do. O(n log n).
std::string coverage_gap(const History& history);

/// Per key all final reads agree, and somebody wrote what they agree on.
ModelVerdict judge_convergence(const History& history, Budget& budget);

/// Burckhardt 2014: and every final read contains every acknowledged update of its key, under one
/// arbitration per key.
ModelVerdict judge_eventual(const History& history, Budget& budget);

/// Shapiro et al. 2011: and reads that saw the same updates, at any time, returned the same state.
ModelVerdict judge_strong_eventual(const History& history, Budget& budget);

/// Every value read was written, once per list element.
ModelVerdict judge_read_values(const History& history, Budget& budget);

}  // namespace consistory
