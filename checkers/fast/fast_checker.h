#pragma once
// FastChecker: the near-linear checkers of this folder behind one door. What several models need
// (the trace, what reads see) is made once. It answers what it can and leaves the rest, such as
// histories with ambiguous values, to the exact checkers of models/.

#include <map>
#include <memory>
#include <string_view>

#include "checkers/fast/finding.h"
#include "checkers/fast/visibility.h"
#include "checkers/models/registry.h"

namespace consistory {

/// As Finding, with operations of the history for points, and with all that they read.
struct FastVerdict {
  Finding::Answer answer = Finding::Answer::declined;
  std::vector<OperationId> evidence;  ///< ascending
};

/// Not thread-safe. `history` must outlive it.
class FastChecker {
 public:
  explicit FastChecker(const History& history) : history_(history) {}

  /// Declines, too, where memory does not suffice.
  FastVerdict judge(const Model& model);
  FastVerdict judge(GuaranteeSet set);
  /// False if the answer to judge(set) is always that it declines.
  static bool decides(GuaranteeSet set);
  /// Is judge(set) as much work as to judge all guarantees together?
  static bool takes_as_long_as_all(GuaranteeSet set);

 private:
  FastVerdict decide_model(const Model& model);
  const Trace* trace();
  const Finding& find(const Model& model);
  const Finding& find(GuaranteeSet set);
  Finding decide(const Model& model);
  Finding decide_guarantees(GuaranteeSet set);
  FastVerdict verdict_of(const Finding& finding) const;
  Finding decide_sequential();
  Finding decide_weak();
  Finding decide_memory();
  Finding decide_view(Guarantee guarantee);
  FastVerdict judge_final_states(const Model& model);
  bool holds(std::string_view model);
  /// What all four guarantees see, the causal past; null if it is cyclic.
  const Visibility* causal();
  void forget_causal();
  std::vector<OperationId> with_sources(const std::vector<Point>& seed) const;

  const History& history_;
  bool traced_ = false;
  std::optional<Trace> trace_;
  Trace::Refusal refusal_;
  bool followed_ = false;
  std::optional<Visibility> causal_;
  std::vector<Point> causal_cycle_;
  std::map<std::string_view, Finding> findings_;
  std::map<GuaranteeSet, Finding> of_sets_;
};

}  // namespace consistory
