#pragma once
// Could this history have failed at all? A model that holds on a history without pressure proves
// nothing; that is the second field of a verdict, `vacuous` (DESIGN §4.4).

#include <string>
#include <vector>

#include "checkers/history/event.h"
#include "checkers/history/history.h"

namespace consistory {

struct Counts {
  std::size_t ok = 0;
  std::size_t fail = 0;
  std::size_t info = 0;
  std::size_t contended_keys = 0;  ///< updated, and used by at least two sessions
  std::size_t total() const { return ok + fail + info; }
};

struct Pressure {
  Counts counts;
  /// What was missing, as sentences with a remedy; empty: the history could have failed.
  std::vector<std::string> missing;
};

/// Below this share of ok operations a store refuses too much to be judged.
constexpr double kOkShareMin = 0.01;

/// Final and local reads do not count as load. `marks` tell of faults (their state and when
/// healed).
Pressure measure_pressure(const History& history, const std::vector<Mark>& marks);

}  // namespace consistory
