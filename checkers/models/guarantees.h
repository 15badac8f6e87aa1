#pragma once
// The four session guarantees (Terry et al. 1994) and their sets, with one version order for the
// whole store (MODELS §3.6, scope G). Sets are models of their own: a history can violate a set and
// none of its members.

#include <string>
#include <vector>

#include "checkers/models/judging.h"

namespace consistory {

enum class Guarantee : std::uint8_t {
  monotonic_reads = 1,
  monotonic_writes = 2,
  read_your_writes = 4,
  writes_follow_reads = 8,
};

/// A set of guarantees as bits of Guarantee; 0 is BASE.
using GuaranteeSet = std::uint8_t;
constexpr GuaranteeSet kAllGuarantees = 15;
constexpr bool contains(GuaranteeSet set, Guarantee guarantee) {
  return (set & static_cast<GuaranteeSet>(guarantee)) != 0;
}

/// holds iff one (visibility, arbitration) satisfies every guarantee of the set. Polynomial for a
/// given resolution: the least visibility closed under the rules decides.
ModelVerdict judge_guarantees(const History& history, Budget& budget, GuaranteeSet set);

/// "read-your-writes+monotonic-writes"; "base" for the empty set.
std::string name_of(GuaranteeSet set);
/// The oracle's short form: "MW+RYW", in its order.
std::string short_name_of(GuaranteeSet set);

}  // namespace consistory
