#pragma once
// A trial: one `consistory run` as a process of its own, and what its verdict says. Trials may run
// side by side, and a controller that crashes is a failed trial, not the end of all others.

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace consistory {

struct TrialOutcome {
  std::string failure;  ///< why there is no verdict; empty: there is one
  std::uint64_t operations = 0;
  std::set<std::string> violated;   ///< models, and minimal sets of session guarantees
  std::set<std::string> undecided;  ///< inconclusive or not checked
  std::string directory;            ///< of the run

  /// Is the model violated or, of a set of session guarantees, a minimal set within it?
  bool violates(const std::string& model) const;
};

/// `arguments`: of `consistory run`. `place`: a folder for this trial alone; it is left as it is.
/// Ends early, with a failure, if somebody interrupts.
TrialOutcome perform_trial(const std::vector<std::string>& arguments, const std::string& place,
                           Nanos timeout);

}  // namespace consistory
