#include "checkers/fast/fast_checker.h"

#include <algorithm>
#include <bit>
#include <exception>
#include <set>

#include "checkers/fast/arbitration.h"
#include "checkers/fast/blocks.h"
#include "checkers/fast/final_states.h"
#include "checkers/fast/guarantee_views.h"
#include "checkers/fast/local_guarantees.h"
#include "checkers/fast/order_refutation.h"
#include "checkers/fast/sequential.h"
#include "checkers/fast/views.h"

namespace consistory {

const Trace* FastChecker::trace() {
  if (!traced_) trace_ = Trace::of(history_, refusal_);
  traced_ = true;
  return trace_ ? &*trace_ : nullptr;
}

const Visibility* FastChecker::causal() {
  if (!followed_) causal_ = Visibility::of(*trace(), kAllGuarantees, causal_cycle_);
  followed_ = true;
  return causal_ ? &*causal_ : nullptr;
}

/// The rows take a good part of all memory; who needs them again makes them again.
void FastChecker::forget_causal() {
  causal_.reset();
  followed_ = false;
}

namespace {

/// What runs out of memory, or of numbers, has no answer.
template <class Judge>
FastVerdict safely(const Judge& judge) {
  try {
    return judge();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

FastVerdict FastChecker::judge(const Model& model) {
  return safely([&] { return decide_model(model); });
}

FastVerdict FastChecker::decide_model(const Model& model) {
  if (model.quiescent) return judge_final_states(model);
  if (trace() != nullptr) return verdict_of(find(model));
  if (!refusal_.thin_air) return {};
  std::vector<OperationId> evidence = refusal_.operations;
  std::sort(evidence.begin(), evidence.end());
  return {Finding::Answer::violated, std::move(evidence)};
}

FastVerdict FastChecker::judge_final_states(const Model& model) {
  const FinalModel which = model.name == "convergence" ? FinalModel::convergence
                           : model.name == "eventual"  ? FinalModel::eventual
                                                       : FinalModel::strong_eventual;
  FinalFinding finding = decide_final_states(history_, which);
  return {finding.answer, std::move(finding.evidence)};
}

FastVerdict FastChecker::judge(GuaranteeSet set) {
  return safely([&] { return trace() == nullptr ? FastVerdict{} : verdict_of(find(set)); });
}

bool FastChecker::decides(GuaranteeSet set) { return is_local(set) || Visibility::can_follow(set); }

bool FastChecker::takes_as_long_as_all(GuaranteeSet set) {
  return !is_local(set) && std::popcount(set) > 1;
}

FastVerdict FastChecker::verdict_of(const Finding& finding) const {
  return {finding.answer, with_sources(finding.seed)};
}

const Finding& FastChecker::find(const Model& model) {
  if (model.guarantees) return find(*model.guarantees);
  if (model.name == "causal-convergence") return find(kAllGuarantees);  // theorem T1
  const auto known = findings_.find(model.name);
  if (known != findings_.end()) return known->second;
  return findings_[model.name] = decide(model);
}

const Finding& FastChecker::find(GuaranteeSet set) {
  const auto known = of_sets_.find(set);
  if (known != of_sets_.end()) return known->second;
  return of_sets_[set] = decide_guarantees(set);
}

bool FastChecker::holds(std::string_view name) {
  return find(**find_model(name)).answer == Finding::Answer::holds;
}

Finding FastChecker::decide(const Model& model) {
  if (model.name == "read-values") return Finding::holds();
  if (model.name == "linearizable") return decide_linearizable(*trace_);
  if (model.name == "cache") return decide_cache(*trace_);
  if (model.name == "weak-causal") return decide_weak();
  if (model.name == "sequential") return decide_sequential();
  if (model.name == "pram") {
    forget_causal();
    return decide_views(*trace_, nullptr);
  }
  if (model.name == "causal") return decide_memory();
  if (model.name == "monotonic-reads-view") return decide_view(Guarantee::monotonic_reads);
  if (model.name == "monotonic-writes-view") return decide_view(Guarantee::monotonic_writes);
  if (model.name == "read-your-writes-view") return decide_view(Guarantee::read_your_writes);
  if (model.name == "writes-follow-reads-view") return decide_view(Guarantee::writes_follow_reads);
  return Finding::declined();
}

/// Causal memory and PRAM prove it where it cannot be decided by itself.
Finding FastChecker::decide_view(Guarantee guarantee) {
  Finding finding = decide_guarantee_view(*trace_, guarantee);
  if (finding.answer != Finding::Answer::declined) return finding;
  const bool proved =
      holds("causal") || (guarantee != Guarantee::writes_follow_reads && holds("pram"));
  return proved ? Finding::holds() : Finding::declined();
}

Finding FastChecker::decide_guarantees(GuaranteeSet set) {
  if (is_local(set)) return decide_local_guarantees(*trace_, set);
  // Where nothing tells the order of updates, monotonic writes alone ask for nothing (MODELS §4).
  const bool orderless = !trace_->has_lists() && !trace_->has_versions() && !trace_->has_cas();
  const bool writes_only = set == static_cast<GuaranteeSet>(Guarantee::monotonic_writes);
  if (orderless && writes_only) return decide_local_guarantees(*trace_, 0);
  if (!Visibility::can_follow(set)) return Finding::declined();
  if (set == kAllGuarantees) {
    if (causal() == nullptr) return Finding::violated(causal_cycle_);
    return decide_arbitration(*trace_, *causal_);
  }
  forget_causal();
  std::vector<Point> cycle;
  const std::optional<Visibility> visibility = Visibility::of(*trace_, set, cycle);
  if (!visibility) return Finding::violated(std::move(cycle));
  return decide_arbitration(*trace_, *visibility);
}

Finding FastChecker::decide_memory() {
  if (causal() == nullptr) return Finding::violated(causal_cycle_);
  return decide_views(*trace_, &*causal_);
}

Finding FastChecker::decide_weak() {
  if (causal() == nullptr) return Finding::violated(causal_cycle_);
  const auto convergence = of_sets_.find(kAllGuarantees);
  const bool proved =
      convergence != of_sets_.end() && convergence->second.answer == Finding::Answer::holds;
  return proved ? Finding::holds() : decide_weak_causal(*trace_, *causal_);
}

/// Whatever refutes a weaker model refutes this one; linearizable proves it, and so does one order
/// that works.
Finding FastChecker::decide_sequential() {
  if (holds("linearizable")) return Finding::holds();
  if (const Finding& cache = find(**find_model("cache")); cache.answer == Finding::Answer::violated)
    return cache;
  if (holds("cache")) {
    if (Finding guess = guess_sequential(*trace_); guess.answer == Finding::Answer::holds)
      return guess;
  }
  for (const char* weaker : {"causal-convergence", "causal"}) {
    const Finding& finding = find(**find_model(weaker));
    if (finding.answer == Finding::Answer::violated) return finding;
  }
  return causal() == nullptr ? Finding::declined() : refute_one_order(*trace_, *causal());
}

std::vector<OperationId> FastChecker::with_sources(const std::vector<Point>& seed) const {
  std::set<Point> all;
  std::vector<Point> todo = seed;
  while (!todo.empty()) {
    const Point point = todo.back();
    todo.pop_back();
    if (point >= trace_->size() || !all.insert(point).second) continue;
    const bool reads = trace_->reads_register(point) && trace_->source(point) < kInitial;
    if (reads) todo.push_back(trace_->source(point));
    // That an indeterminate update took effect is for a reader to show.
    if (trace_->is_info(point)) todo.push_back(trace_->readers_of(point).front());
  }
  std::vector<OperationId> ids;
  for (const Point point : all) ids.push_back(trace_->id(point));
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace consistory
