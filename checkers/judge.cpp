#include "checkers/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <set>

#include "checkers/fast/fast_checker.h"
#include "checkers/models/convergence.h"
#include "checkers/violated_sets.h"

namespace consistory {
namespace {

std::vector<const Model*> every_model() {
  std::vector<const Model*> models;
  for (const Model& model : all_models()) models.push_back(&model);
  return models;
}

/// A checker that fails is inconclusive, never `holds` (DESIGN §4.4).
ModelVerdict judge_exactly(const Model& model, const History& history, std::uint64_t steps) {
  Budget budget(steps);
  try {
    ModelVerdict verdict = model.judge(history, budget);
    verdict.steps = budget.used();
    return verdict;
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

/// The near-linear checkers first, where they have an answer. What they call a violation counts
/// once the exact checker sees it too, in the evidence alone.
ModelVerdict judge_model(const Model& model, const History& history, std::uint64_t steps,
                         FastChecker& fast) {
  FastVerdict quick = fast.judge(model);
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
  if (history.size() > kExactOperationsMax) return too_long_for_exact(history);
  return judge_exactly(model, history, steps);
}

/// Verdicts of `models`, strongest first, so that what a model that holds implies need not be run.
std::vector<ModelVerdict> verdicts_of(const std::vector<const Model*>& models,
                                      const History& history, const JudgeOptions& options,
                                      FastChecker& fast) {
  std::set<std::string_view> known_to_hold;
  std::vector<ModelVerdict> verdicts;
  for (const Model* model : models) {
    const bool implied = options.use_implications && known_to_hold.contains(model->name);
    verdicts.push_back(implied ? ModelVerdict::holds()
                               : judge_model(*model, history, options.steps, fast));
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

/// A session guarantee or a set of them: then the minimal violated sets are worth knowing.
bool is_about_guarantees(const Model* model) {
  constexpr std::array<std::string_view, 5> kNames = {
      "sessions", "monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads"};
  return model->name.find('+') != std::string_view::npos ||
         std::find(kNames.begin(), kNames.end(), model->name) != kNames.end();
}

void judge_split_sessions(Judgement& judgement, const History& history,
                          const JudgeOptions& options) {
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
  FastChecker fast(split);
  const std::vector<ModelVerdict> verdicts = verdicts_of(models, split, options, fast);
  for (std::size_t i = 0; i < places.size(); ++i)
    judgement.models[places[i]].split = verdicts[i].verdict;
}

/// A violation is shown only if its witness passes the oracle; what the oracle refuses is our bug,
/// and the model stays undecided.
void attach_witness(JudgedModel& judged, const History& history) {
  Witness witness = make_witness(history, *judged.model, judged.verdict);
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
  FastChecker fast(history);
  std::vector<ModelVerdict> verdicts = verdicts_of(models, history, options, fast);
  for (std::size_t i = 0; i < models.size(); ++i) {
    judgement.models.push_back({models[i], std::move(verdicts[i]), std::nullopt, std::nullopt});
  }
  if (std::any_of(models.begin(), models.end(), is_about_guarantees)) {
    const ViolatedSets sets = minimal_violated_sets(history, options.steps, fast);
    judgement.violated_sets = sets.minimal;
    judgement.sets_open = sets.open;
  }
  if (options.split_sessions && sessions_move(history))
    judge_split_sessions(judgement, history, options);
  if (!options.witnesses) return judgement;
  for (JudgedModel& judged : judgement.models) {
    if (judged.verdict.verdict == Verdict::violated) attach_witness(judged, history);
  }
  return judgement;
}

}  // namespace consistory
