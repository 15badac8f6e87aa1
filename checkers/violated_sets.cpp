#include "checkers/violated_sets.h"

#include <algorithm>
#include <bit>
#include <exception>

#include "checkers/fast/fast_checker.h"

namespace consistory {
namespace {

/// Above this many operations a set that the near-linear checkers leave alone is left open.
constexpr std::size_t kExactMax = 20'000;

class SetJudge {
 public:
  SetJudge(const History& history, std::uint64_t steps, FastChecker& fast)
      : history_(history), steps_(steps), fast_(fast) {}

  Verdict judge(GuaranteeSet set) {
    const FastVerdict quick = fast_.judge(set);
    if (quick.answer == Finding::Answer::holds) return Verdict::holds;
    if (quick.answer == Finding::Answer::violated) {
      const History part = extract(history_, quick.evidence);
      if (exactly(part, set) == Verdict::violated) {
        evidence_.push_back(part);
        return Verdict::violated;
      }
    }
    for (const History& part : evidence_) {
      if (exactly(part, set) == Verdict::violated) return Verdict::violated;
    }
    return history_.size() > kExactMax ? Verdict::inconclusive : exactly(history_, set);
  }

 private:
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
  std::vector<History> evidence_;  // what violated other sets
};

bool includes(GuaranteeSet set, GuaranteeSet part) { return (part & set) == part; }

}  // namespace

ViolatedSets minimal_violated_sets(const History& history, std::uint64_t steps, FastChecker& fast) {
  ViolatedSets result;
  SetJudge judge(history, steps, fast);
  std::vector<GuaranteeSet> holding;
  const auto any_of = [](const auto& sets, const auto& test) {
    return std::any_of(sets.begin(), sets.end(), test);
  };
  const auto consider = [&](GuaranteeSet set) {
    if (any_of(holding, [&](GuaranteeSet larger) { return includes(larger, set); })) return;
    if (any_of(result.minimal, [&](GuaranteeSet part) { return includes(set, part); })) return;
    const Verdict verdict = judge.judge(set);
    if (verdict == Verdict::holds) holding.push_back(set);
    if (verdict == Verdict::violated) result.minimal.push_back(set);
    result.open = result.open || verdict == Verdict::inconclusive;
  };
  // All four first: where they hold together, and they mostly do, every set does.
  if (judge.judge(kAllGuarantees) == Verdict::holds) return result;
  std::vector<GuaranteeSet> sets;
  for (GuaranteeSet set = 0; set <= kAllGuarantees; ++set) sets.push_back(set);
  std::stable_sort(sets.begin(), sets.end(), [](GuaranteeSet a, GuaranteeSet b) {
    return std::popcount(a) < std::popcount(b);
  });
  for (const GuaranteeSet set : sets) consider(set);
  return result;
}

}  // namespace consistory
