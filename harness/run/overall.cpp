#include "harness/run/overall.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"

namespace consistory {
namespace {

bool violated(const RunRecord& run, std::string_view model) {
  const JudgedModel* judged = run.judgement.find(model);
  return judged != nullptr && judged->verdict.verdict == Verdict::violated;
}

/// The violated models that no other violated model explains (none that they imply is violated).
std::vector<std::string> weakest_violated(const RunRecord& run) {
  std::vector<std::string> weakest;
  for (const JudgedModel& judged : run.judgement.models) {
    if (judged.verdict.verdict != Verdict::violated) continue;
    const auto weaker = implied_by(judged.model->name);
    const bool explained = std::any_of(weaker.begin(), weaker.end(),
                                       [&](std::string_view name) { return violated(run, name); });
    if (!explained) weakest.emplace_back(judged.model->name);
  }
  return weakest;
}

/// A minimal violated set that contains the single guarantee `model`; empty if there is none.
std::string violated_set_with(const RunRecord& run, std::string_view model) {
  for (const GuaranteeSet set : run.judgement.violated_sets) {
    const std::string name = "+" + name_of(set) + "+";
    if (name.find("+" + std::string(model) + "+") != std::string::npos) return name_of(set);
  }
  return {};
}

std::vector<std::string> required_and(const RunRecord& run, Verdict wanted) {
  std::vector<std::string> names;
  for (const JudgedModel& judged : run.judgement.models) {
    const std::string name(judged.model->name);
    if (run.required.contains(name) && judged.verdict.verdict == wanted) names.push_back(name);
  }
  return names;
}

/// A promise that includes what is expected to break is no promise in this run.
bool contradicts_expectation(const RunRecord& run, const std::string& promise) {
  const auto weaker = implied_by(promise);
  return std::any_of(run.expected_violations.begin(), run.expected_violations.end(),
                     [&](const std::string& expected) {
                       return promise == expected ||
                              std::find(weaker.begin(), weaker.end(), expected) != weaker.end();
                     });
}

void set_required(RunRecord& run) {
  for (const std::string& name : run.promised) {
    if (contradicts_expectation(run, name)) continue;
    run.required.insert(name);
    for (const std::string_view weaker : implied_by(name)) run.required.insert(std::string(weaker));
  }
}

class OverallDecision {
 public:
  explicit OverallDecision(RunRecord& run) : run_(run) {}

  OverallVerdict decide() {
    verdict_.frontier = weakest_violated(run_);
    const bool decided = interrupted() || unchecked() || promise_broken() || set_broken() ||
                         store_failed() || expectation_missed() || undecided() || vacuous() ||
                         expectation_met();
    if (!decided) finish(Overall::holds, 0, holds_sentence());
    return verdict_;
  }

 private:
  bool finish(Overall word, int exit_code, std::string sentence) {
    verdict_.word = word;
    verdict_.exit_code = exit_code;
    verdict_.sentence = std::move(sentence);
    return true;
  }

  bool interrupted() {
    if (run_.status != "interrupted") return false;
    const auto broken = required_and(run_, Verdict::violated);
    return finish(
        Overall::interrupted, 130,
        broken.empty()
            ? "the run was interrupted; what there was of it shows no violation of a promise"
            : fmt::format("the run was interrupted; what there was of it violates {}",
                          join(broken, ", ")));
  }

  bool unchecked() {
    if (run_.checked) return false;
    if (!run_.failure.empty()) return store_failed();
    return finish(Overall::inconclusive, 0, "recorded, not checked (--no-check)");
  }

  bool promise_broken() {
    const auto broken = required_and(run_, Verdict::violated);
    if (broken.empty()) return false;
    std::vector<std::string> weakest;
    for (const std::string& name : verdict_.frontier) {
      if (run_.required.contains(name)) weakest.push_back(name);
    }
    return finish(Overall::violated, 1,
                  fmt::format("{} is violated, and was required",
                              join(weakest.empty() ? broken : weakest, ", ")));
  }

  /// --require of a single guarantee also hears of sets that contain it (DESIGN §4.5).
  bool set_broken() {
    for (const std::string& model : run_.required_by_user) {
      const std::string set = violated_set_with(run_, model);
      if (set.empty()) continue;
      return finish(
          Overall::violated, 1,
          fmt::format("the set {} is violated, and {} was required; this history cannot tell which "
                      "member of the set broke",
                      set, model));
    }
    return false;
  }

  bool expectation_missed() {
    for (const std::string& model : run_.expected_violations) {
      if (violated(run_, model) || !violated_set_with(run_, model).empty()) continue;
      const JudgedModel* judged = run_.judgement.find(model);
      const bool open = judged != nullptr && judged->verdict.verdict != Verdict::holds;
      if (open)
        return finish(Overall::inconclusive, 2,
                      fmt::format("whether {} is violated was not decided", model));
      return finish(Overall::holds, 1,
                    fmt::format("{} was expected to be violated, and holds", model));
    }
    return false;
  }

  bool store_failed() {
    if (run_.failure.empty()) return false;
    return finish(Overall::store_failed, 3, "the store failed");
  }

  bool undecided() {
    auto open = required_and(run_, Verdict::inconclusive);
    if (!run_.promised_by_default) {
      const auto uncovered = required_and(run_, Verdict::not_checked);
      open.insert(open.end(), uncovered.begin(), uncovered.end());
    }
    if (open.empty()) return false;
    return finish(Overall::inconclusive, 2,
                  fmt::format("{} was required, and could not be decided", join(open, ", ")));
  }

  bool vacuous() {
    if (run_.pressure.missing.empty() || !run_.expected_violations.empty()) return false;
    return finish(Overall::inconclusive, 2,
                  fmt::format("nothing was violated, but the run could hardly have failed: {}",
                              run_.pressure.missing.front()));
  }

  bool expectation_met() {
    if (run_.expected_violations.empty()) return false;
    return finish(Overall::violated, 0,
                  fmt::format("{} is violated, as expected", join(run_.expected_violations, ", ")));
  }

  std::string holds_sentence() const {
    if (run_.promised.empty()) return "nothing was required";
    if (run_.promised_by_default) return "every model that could be checked holds";
    return fmt::format("everything that was required holds: {}", join(run_.promised, ", "));
  }

  RunRecord& run_;
  OverallVerdict verdict_;
};

}  // namespace

void decide_overall(RunRecord& run) {
  set_required(run);
  run.overall = OverallDecision(run).decide();
}

int worse_exit_code(int a, int b) {
  constexpr std::array<int, 7> kRank = {143, 130, 1, 70, 3, 69, 2};
  for (const int code : kRank) {
    if (a == code || b == code) return code;
  }
  return std::max(a, b);
}

}  // namespace consistory
