#pragma once
// Sets and counters (history/unordered.h) under the models that ask for one order of operations:
// sequential, linearizable, and cache, which asks it of each key alone.
//
// A read tells of every addition whether it came before or after, so nothing is left to choose: the
// order exists if and only if those, the order of sessions and, for linearizability, real time form
// no circle. What the reads of one key saw must then grow from one to the next, and two reads that
// each lack something the other saw are the shortest circle. O(n log n) with the length of reads.

#include "checkers/history/history.h"
#include "checkers/models/verdict.h"

namespace consistory {

struct SetOrderRules {
  bool real_time = false;
  bool each_key_alone = false;
};

/// `history` must be of sets.
ModelVerdict judge_set_order(const History& history, const SetOrderRules& rules);

}  // namespace consistory
