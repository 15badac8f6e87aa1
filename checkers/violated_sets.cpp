#include "checkers/violated_sets.h"

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <optional>
#include <utility>

#include "checkers/fast/fast_checker.h"

namespace consistory {
namespace {

/// Above this many operations a set that the near-linear checkers leave alone is left open.
constexpr std::size_t kExactMax = 20'000;

bool includes(GuaranteeSet set, GuaranteeSet part) { return (part & set) == part; }

/// What violates a set violates all larger ones, and what holds of a set holds of all smaller ones:
/// few of the sixteen are ever looked at.
class SetJudge {
 public:
  SetJudge(const History& history, std::uint64_t steps, FastChecker& fast,
           const std::map<GuaranteeSet, Verdict>& known)
      : history_(history), steps_(steps), fast_(fast) {
    for (const auto& [set, verdict] : known) {
      if (verdict == Verdict::holds || verdict == Verdict::violated) known_[set] = verdict;
    }
  }

  Verdict judge(GuaranteeSet set) {
    std::optional<Verdict>& known = known_[set];
    if (!known || known == Verdict::inconclusive) {
      if (const std::optional<Verdict> told = follows(set)) known = told;
    }
    if (!known) known = decide(set);
    return *known;
  }

  /// Violated, and no smaller set is. Smaller ones first: they are less work.
  bool is_minimal(GuaranteeSet set) {
    if (!can_be_decided(set) && !follows(set)) return false;
    for (const unsigned member : {1U, 2U, 4U, 8U}) {
      const bool smaller = (set & member) != 0 &&
                           judge(static_cast<GuaranteeSet>(set & ~member)) == Verdict::violated;
      if (smaller) return false;
    }
    return judge(set) == Verdict::violated;
  }

 private:
  bool can_be_decided(GuaranteeSet set) const {
    return history_.size() <= kExactMax || FastChecker::decides(set);
  }

  std::optional<Verdict> follows(GuaranteeSet set) const {
    for (GuaranteeSet other = 0; other <= kAllGuarantees; ++other) {
      if (includes(other, set) && known_[other] == Verdict::holds) return Verdict::holds;
      if (includes(set, other) && known_[other] == Verdict::violated) return Verdict::violated;
    }
    return std::nullopt;
  }

  /// What violated other sets may violate this one, and so may a member of it, which is less work:
  /// then the whole need not be looked at.
  Verdict decide(GuaranteeSet set) {
    for (const History& part : evidence_) {
      if (exactly(part, set) == Verdict::violated) return Verdict::violated;
    }
    for (const Guarantee guarantee : {Guarantee::monotonic_reads, Guarantee::read_your_writes}) {
      const auto member = static_cast<GuaranteeSet>(guarantee);
      if (contains(set, guarantee) && set != member && judge(member) == Verdict::violated)
        return Verdict::violated;
    }
    const FastVerdict quick = fast_.judge(set);
    if (quick.answer == Finding::Answer::holds) return Verdict::holds;
    if (quick.answer == Finding::Answer::violated) {
      History part = extract(history_, quick.evidence);
      if (exactly(part, set) == Verdict::violated) {
        evidence_.push_back(std::move(part));
        return Verdict::violated;
      }
    }
    return history_.size() > kExactMax ? Verdict::inconclusive : exactly(history_, set);
  }

  Verdict exactly(const History& history, GuaranteeSet set) const {
    Budget budget(steps_);
    try {
      return judge_guarantees(history, budget, set).verdict;
    } catch (const std::exception&) {  // out of time or memory
      return Verdict::inconclusive;
    }
  }

  const History& history_;
  std::uint64_t steps_;
  FastChecker& fast_;
  std::array<std::optional<Verdict>, kAllGuarantees + 1> known_;
  std::vector<History> evidence_;  // what violated sets
};

}  // namespace

ViolatedSets minimal_violated_sets(const History& history, std::uint64_t steps, FastChecker& fast,
                                   const std::vector<GuaranteeSet>& parts,
                                   const std::map<GuaranteeSet, Verdict>& known) {
  ViolatedSets result;
  SetJudge judge(history, steps, fast, known);
  // All four first: where they hold together, and they mostly do, every set does.
  if (judge.judge(kAllGuarantees) == Verdict::holds) return result;
  std::vector<GuaranteeSet> sets;
  for (GuaranteeSet set = 0; set <= kAllGuarantees; ++set) {
    const bool asked = std::any_of(parts.begin(), parts.end(),
                                   [&](GuaranteeSet part) { return includes(set, part); });
    if (asked) sets.push_back(set);
  }
  std::stable_sort(sets.begin(), sets.end(), [](GuaranteeSet a, GuaranteeSet b) {
    return std::popcount(a) < std::popcount(b);
  });
  for (const GuaranteeSet set : sets) {
    if (judge.is_minimal(set)) result.minimal.push_back(set);
  }
  result.open = std::any_of(sets.begin(), sets.end(), [&](GuaranteeSet set) {
    return judge.judge(set) == Verdict::inconclusive;
  });
  return result;
}

}  // namespace consistory
