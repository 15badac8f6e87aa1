#pragma once
// Which sets of session guarantees a history violates, as the minimal ones: a set is a model of its
// own, and may be violated where none of its members is (MODELS §3.6).

#include <map>
#include <vector>

#include "checkers/models/guarantees.h"

namespace consistory {

class FastChecker;

/// The minimal violated sets, smallest first ("" is BASE), among those that include one of `parts`
/// (BASE is a part of all); `open` if one of them stayed inconclusive. `known`: sets judged
/// already.
struct ViolatedSets {
  std::vector<GuaranteeSet> minimal;
  bool open = false;
};
ViolatedSets minimal_violated_sets(const History& history, std::uint64_t steps, FastChecker& fast,
                                   const std::vector<GuaranteeSet>& parts,
                                   const std::map<GuaranteeSet, Verdict>& known);

}  // namespace consistory
