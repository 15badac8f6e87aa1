#include "checkers/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <set>

#include "checkers/fast/fast_checker.h"
#include "checkers/models/convergence.h"
#include "checkers/parts.h"
#include "checkers/sets/judge_sets.h"
#include "checkers/violated_sets.h"

namespace consistory {
namespace {

std::vector<const Model*> every_model() {
  std::vector<const Model*> models;
  for (const Model& model : all_models()) models.push_back(&model);
  return models;
}

/// Shares out the time limit, if there is one.
class Allowance {
 public:
  explicit Allowance(Nanos total)
      : limited_(total > 0),
        searches_end_(monotonic_now() + total / 5 * 4),
        end_(monotonic_now() + total) {}

  /// Half of what is left for all searches.
  Nanos of_a_search() const { return limited_ ? left(searches_end_) / 2 : TimeLimit::kNone; }
  Nanos of_the_searches() const { return limited_ ? left(searches_end_) : TimeLimit::kNone; }
  Nanos of_the_rest() const { return limited_ ? left(end_) : TimeLimit::kNone; }

 private:
  static Nanos left(Nanos end) { return std::max<Nanos>(end - monotonic_now(), 0); }

  bool limited_;
  Nanos searches_end_, end_;
};

/// A checker that fails is inconclusive, never `holds` (DESIGN §4.4).
ModelVerdict judge_exactly(const Model& model, const History& history, std::uint64_t steps) {
  Budget budget(steps);
  try {
    check_time();
    ModelVerdict verdict = model.judge(history, budget);
    verdict.steps = budget.used();
    return verdict;
  } catch (const OutOfTime&) {
    return ModelVerdict::inconclusive(
        fmt::format("the time limit (--check-timeout) ended its search after {} steps; not "
                    "reproducible, another machine may decide it",
                    budget.used()));
  } catch (const std::bad_alloc&) {
    return ModelVerdict::inconclusive(
        fmt::format("the memory that the process may use (--check-memory) ended its search after "
                    "{} steps; not reproducible, another machine may decide it",
                    budget.used()));
  } catch (const std::exception& failure) {
    return ModelVerdict::inconclusive(std::string("the checker failed: ") + failure.what());
  }
}

/// The exact checkers take time and memory that grow with the square of a history's length.
constexpr std::size_t kExactOperationsMax = 120'000;

ModelVerdict too_long_for_exact(const History& history) {
  return ModelVerdict::inconclusive(
      fmt::format("{} operations with ambiguous values, lists or cas that the near-linear checker "
                  "leaves to the "
                  "exact one, which takes at most {}",
                  history.size(), kExactOperationsMax));
}

/// A history with what judges it.
struct Subject {
  explicit Subject(const History& whole) : history(whole), fast(whole) {}

  /// The unambiguous keys by themselves; null if they are none or all.
  Subject* clear() {
    if (looked_) return clear_.get();
    looked_ = true;
    clear_ids = operations_of_clear_keys(history);
    if (clear_ids.empty() || clear_ids.size() == history.size()) return nullptr;
    clear_history_ = subset(history, clear_ids);
    clear_ = std::make_unique<Subject>(clear_history_);
    return clear_.get();
  }

  const History& history;
  FastChecker fast;
  std::vector<OperationId> clear_ids;

 private:
  bool looked_ = false;
  History clear_history_;
  std::unique_ptr<Subject> clear_;
};

/// What violates a model in a part, as a violation of the whole.
ModelVerdict of_the_whole(ModelVerdict verdict, const std::vector<OperationId>& part) {
  if (verdict.evidence.empty()) verdict.evidence = part;
  else
    for (OperationId& id : verdict.evidence) id = part[id];
  return verdict;
}

/// Each part is extracted, which looks at the whole.
constexpr std::size_t kPartsMax = 200;

/// Part by part, where parts share nothing and the model does not look at real time.
ModelVerdict judge_parts(const Model& model, const History& history, std::uint64_t steps) {
  if (model.quiescent || model.name == "linearizable") return judge_exactly(model, history, steps);
  std::vector<std::vector<OperationId>> parts = independent_parts(history);
  if (parts.size() < 2 || parts.size() > kPartsMax) return judge_exactly(model, history, steps);
  // Short ones first: what they leave of the budget is for the long ones.
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::uint64_t left = steps;
  ModelVerdict all = ModelVerdict::holds();
  for (const std::vector<OperationId>& part : parts) {
    ModelVerdict verdict = judge_exactly(model, extract(history, part), left);
    if (verdict.verdict == Verdict::violated) return of_the_whole(std::move(verdict), part);
    if (verdict.steps > left) return out_of_budget(Budget(steps));
    left -= verdict.steps;
    if (verdict.verdict == Verdict::inconclusive) all = std::move(verdict);
  }
  return all;
}

/// All session guarantees together imply each set of them, and what refutes them mostly refutes the
/// set: one look then tells of the set, and of those that include it.
FastVerdict judge_quickly(const Model& model, std::uint64_t steps, Subject& subject) {
  if (model.guarantees && *model.guarantees != kAllGuarantees &&
      FastChecker::takes_as_long_as_all(*model.guarantees)) {
    FastVerdict all = subject.fast.judge(kAllGuarantees);
    if (all.answer == Finding::Answer::holds) return all;
    const bool refuted =
        all.answer == Finding::Answer::violated &&
        judge_exactly(model, extract(subject.history, all.evidence), steps).verdict ==
            Verdict::violated;
    if (refuted) return all;
  }
  return subject.fast.judge(model);
}

/// The near-linear checkers first, where they have an answer. What they call a violation counts
/// once the exact checker sees it too, in the evidence alone.
ModelVerdict judge_model(const Model& model, std::uint64_t steps, Subject& subject) {
  const History& history = subject.history;
  FastVerdict quick = judge_quickly(model, steps, subject);
  if (quick.answer == Finding::Answer::holds) {
    std::string gap = model.quiescent ? coverage_gap(history) : std::string();
    return gap.empty() ? ModelVerdict::holds() : ModelVerdict::not_checked(std::move(gap));
  }
  if (quick.answer == Finding::Answer::violated) {
    ModelVerdict confirmed = judge_exactly(model, extract(history, quick.evidence), steps);
    if (confirmed.verdict == Verdict::violated) {
      confirmed.evidence = std::move(quick.evidence);
      return confirmed;
    }
  }
  Subject* clear = model.quiescent ? nullptr : subject.clear();
  if (clear != nullptr) {
    ModelVerdict verdict = judge_model(model, steps, *clear);
    if (verdict.verdict == Verdict::violated)
      return of_the_whole(std::move(verdict), subject.clear_ids);
  }
  if (history.size() > kExactOperationsMax) return too_long_for_exact(history);
  return judge_parts(model, history, steps);
}

ModelVerdict judge_on_sets(const Model& model, std::uint64_t steps, Subject& subject) {
  const std::optional<Model> standing_in = model_for_sets(model);
  if (!standing_in) return ModelVerdict::not_checked("it is not judged on sets and counters");
  if (!asks_for_one_order(model)) return judge_model(*standing_in, steps, subject);
  ModelVerdict verdict = judge_exactly(*standing_in, subject.history, steps);
  if (verdict.verdict != Verdict::violated) return verdict;
  std::vector<OperationId> evidence = verdict.proof.operations;
  ModelVerdict alone = judge_exactly(*standing_in, extract(subject.history, evidence), steps);
  if (alone.verdict != Verdict::violated) return verdict;
  alone.evidence = std::move(evidence);
  return alone;
}

/// Verdicts of `models`, strongest first, so that what a model that holds implies need not be run.
std::vector<ModelVerdict> verdicts_of(const std::vector<const Model*>& models,
                                      const JudgeOptions& options, const Allowance& allowance,
                                      Subject& subject) {
  std::set<std::string_view> known_to_hold;
  std::vector<ModelVerdict> verdicts;
  for (const Model* model : models) {
    const TimeLimit limit(allowance.of_a_search());
    const bool implied = options.use_implications && known_to_hold.contains(model->name);
    verdicts.push_back(implied                ? ModelVerdict::holds()
                       : subject.history.sets ? judge_on_sets(*model, options.steps, subject)
                                              : judge_model(*model, options.steps, subject));
    if (verdicts.back().verdict != Verdict::holds) continue;
    for (const std::string_view weaker : implied_by(model->name)) known_to_hold.insert(weaker);
  }
  return verdicts;
}

/// The convergence models and read-values know no sessions; linearizability does not need them.
bool depends_on_sessions(const Model& model) {
  constexpr std::array<std::string_view, 5> kWithout = {
      "linearizable", "read-values", "convergence", "eventual", "strong-eventual"};
  return std::find(kWithout.begin(), kWithout.end(), model.name) == kWithout.end();
}

/// The minimal violated sets of session guarantees that are worth knowing include one of these:
/// any, for who asks about every guarantee; else what was asked about and is not violated by
/// itself.
std::vector<GuaranteeSet> sets_to_complete(const std::vector<JudgedModel>& models) {
  GuaranteeSet members = 0;
  std::vector<GuaranteeSet> unbroken;
  for (const JudgedModel& judged : models) {
    const std::optional<GuaranteeSet> set = judged.model->guarantees;
    if (!set) continue;
    if (std::popcount(*set) == 1) members |= *set;
    if (judged.verdict.verdict != Verdict::violated) unbroken.push_back(*set);
  }
  return members == kAllGuarantees ? std::vector<GuaranteeSet>{0} : unbroken;
}

void judge_split_sessions(Judgement& judgement, const History& history, const JudgeOptions& options,
                          const Allowance& allowance) {
  std::vector<std::size_t> places;
  std::vector<const Model*> models;
  for (std::size_t i = 0; i < judgement.models.size(); ++i) {
    if (!depends_on_sessions(*judgement.models[i].model)) continue;
    // Splitting only drops session order: what held goes on to hold.
    if (judgement.models[i].verdict.verdict == Verdict::holds) {
      judgement.models[i].split = Verdict::holds;
      continue;
    }
    places.push_back(i);
    models.push_back(judgement.models[i].model);
  }
  if (models.empty()) return;
  const History split = split_sessions_by_node(history);
  Subject subject(split);
  const std::vector<ModelVerdict> verdicts = verdicts_of(models, options, allowance, subject);
  for (std::size_t i = 0; i < places.size(); ++i)
    judgement.models[places[i]].split = verdicts[i].verdict;
}

/// A violation is shown only if its witness passes the oracle; what the oracle refuses is our bug,
/// and the model stays undecided.
void attach_witness(JudgedModel& judged, const History& history) {
  const Model model = history.sets ? *model_for_sets(*judged.model) : *judged.model;
  Witness witness = make_witness(history, model, judged.verdict);
  if (witness.recheck == OracleAnswer::holds || witness.recheck == OracleAnswer::not_checked) {
    judged.verdict = ModelVerdict::inconclusive(
        "the checker found a violation that the oracle does not confirm: a bug of consistory, "
        "please report it with this history");
    return;
  }
  judged.witness = std::move(witness);
}

}  // namespace

const JudgedModel* Judgement::find(std::string_view name) const {
  for (const JudgedModel& judged : models) {
    if (judged.model->name == name) return &judged;
  }
  return nullptr;
}

Judgement judge(const History& history, const JudgeOptions& options) {
  const std::vector<const Model*> models = options.models.empty() ? every_model() : options.models;
  Judgement judgement;
  const Allowance allowance(options.timeout);
  Subject subject(history);
  std::vector<ModelVerdict> verdicts = verdicts_of(models, options, allowance, subject);
  for (std::size_t i = 0; i < models.size(); ++i) {
    judgement.models.push_back({models[i], std::move(verdicts[i]), std::nullopt, std::nullopt});
  }
  const std::vector<GuaranteeSet> parts = sets_to_complete(judgement.models);
  if (!parts.empty()) {
    const TimeLimit limit(allowance.of_the_searches());
    std::map<GuaranteeSet, Verdict> known;
    for (const JudgedModel& judged : judgement.models) {
      if (judged.model->guarantees) known[*judged.model->guarantees] = judged.verdict.verdict;
    }
    const ViolatedSets sets =
        minimal_violated_sets(history, options.steps, subject.fast, parts, known);
    judgement.violated_sets = sets.minimal;
    judgement.sets_open = sets.open;
  }
  if (options.split_sessions && sessions_move(history))
    judge_split_sessions(judgement, history, options, allowance);
  if (!options.witnesses) return judgement;
  const TimeLimit limit(allowance.of_the_rest());
  for (JudgedModel& judged : judgement.models) {
    if (judged.verdict.verdict == Verdict::violated) attach_witness(judged, history);
  }
  return judgement;
}

}  // namespace consistory
