#pragma once
// How far reads lag behind, so that a model that holds still says how close it came.
//
// A read of w is stale by the updates of its key that were certainly newer than w and certainly
// there: invoked after w had completed, and completed before the read was invoked. How many they
// are is its lag in versions, how long the first of them had been complete its lag in time
// (k-atomicity and Δ-atomicity by lower bounds; Aiyer, Alvisi and Bazzi 2005, Golab, Li and Shah
// 2011).

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "checkers/history/history.h"

namespace consistory {

struct Lag {
  std::uint64_t versions = 0;
  Nanos time = 0;
};

struct Staleness {
  std::size_t reads = 0;  ///< ok reads of registers, not final, of a value with one known writer
  std::size_t fresh = 0;  ///< of those: with no lag
  Lag median, p99, most;  ///< versions and time each by itself
  /// t-visibility (Bailis et al. 2012): of the reads invoked at least this long after the newest
  /// update that was then complete, 99 % (99.9 %) were fresh. -1: at no age.
  Nanos visible_99 = -1, visible_999 = -1;
};

/// O(n log n). Updates that stay in flight from before w completed until after the read was invoked
/// can hide as many others: a lag is a lower bound.
Staleness measure_staleness(const History& history);

/// A read that lagged, what it returned (UINT32_MAX: the initial value), and one of the updates
/// that were certainly newer and certainly there.
struct StaleRead {
  OperationId read = 0, returned = 0, newer = 0;
};
/// All of them, in the order of the history.
std::vector<StaleRead> stale_reads(const History& history);

/// "93.1 % of 5000 register reads were fresh; at most 3 versions and 0.412 s behind, …".
std::string staleness_text(const Staleness& staleness);

}  // namespace consistory
