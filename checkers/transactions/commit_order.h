#pragma once
// The levels that are about one order of all commits: prefix, snapshot, serializable, and the last
// two with real time. Each is a graph that must have no cycle once the writes of every key are in
// some order:
//
//   serializable  a transaction is one node
//   prefix        it is two, its reads and then its writes (Biswas and Enea 2019, §4)
//   snapshot      the same, and of two writers of a key one's writes come before the other's reads
//
// A list shows the order of its writes. For registers the order is open: what follows from the rest
// is derived until nothing new follows (saturation, as Zennou et al. 2019); then an order is
// guessed by the time of commits and tried; then a SAT solver chooses, and learns from each cycle.

#include <string>
#include <vector>

#include "checkers/order/serialisation.h"
#include "checkers/transactions/digraph.h"

namespace consistory {

struct CommitRules {
  bool split = false;      ///< reads and writes apart
  bool conflicts = false;  ///< writers of one key do not overlap
  bool real_time = false;
};

struct CommitAnswer {
  Answer answer = Answer::open;
  std::vector<std::vector<Link>> cycles;  ///< of a no; empty if only the whole search tells.
                                          ///< Between transactions, not their parts.
  std::string why;                        ///< of open
};

/// Is there such an order for certain, as a first look tells? False says nothing. Near-linear.
bool commit_order_is_evident(const Dependencies& dependencies, const CommitRules& rules);

/// `steps` bounds the search.
CommitAnswer decide_commit_order(const Dependencies& dependencies, const CommitRules& rules,
                                 std::uint64_t steps);

}  // namespace consistory
