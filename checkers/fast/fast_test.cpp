// The near-linear checkers against the exact ones, on random histories: every answer must be the
// same, and what is called a violation must be one in the evidence alone.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "checkers/fast/fast_checker.h"
#include "checkers/history/text.h"
#include "checkers/testing/random_history.h"

namespace consistory {
namespace {

constexpr std::uint64_t kSteps = 2'000'000;

Verdict exactly(const History& history, const Model& model) {
  Budget budget(kSteps);
  return model.judge(history, budget).verdict;
}

bool history_has_no_finals(const History& history) {
  for (const Operation& operation : history.operations) {
    if (operation.final && operation.outcome == Outcome::ok) return false;
  }
  return true;
}

/// True if the near-linear checker answered.
bool expect_same(const History& history, const Model& model, FastChecker& fast) {
  const FastVerdict quick = fast.judge(model);
  if (quick.answer == Finding::Answer::declined) return false;
  const Verdict exact = exactly(history, model);
  if (exact == Verdict::inconclusive) return false;
  if (exact == Verdict::not_checked && quick.answer == Finding::Answer::holds) return true;
  if (exact == Verdict::not_checked && history_has_no_finals(history)) return false;
  const bool violated = quick.answer == Finding::Answer::violated;
  EXPECT_EQ(violated, exact == Verdict::violated) << model.name << "\n" << text_of(history);
  if (violated && exact == Verdict::violated) {
    EXPECT_EQ(exactly(extract(history, quick.evidence), model), Verdict::violated)
        << model.name << " in the evidence\n"
        << text_of(extract(history, quick.evidence)) << "of\n"
        << text_of(history);
  }
  return true;
}

/// An element that arrives brings the indeterminate ones before it, one after the other.
TEST(Fast, IndeterminateAppendsThatBringEachOther) {
  const Result<History> history = parse_history_text(
      "A append l 1 ?; B append l 2 ?; C append l 3 ?; G append l 4 ?; H append l 5 ?; "
      "D append l 6; D write y 1; E read y -> 1; E read l -> [1 2 3 4 5 6]");
  ASSERT_TRUE(history) << history.error().message;
  FastChecker fast(*history);
  for (const char* name : {"pram", "causal"})
    EXPECT_EQ(fast.judge(**find_model(name)).answer, Finding::Answer::holds) << name;
}

/// Versions order appends that no list shows, also where no list shows any.
TEST(Fast, VersionsOrderAppendsThatNothingShows) {
  const Result<History> history = parse_history_text(
      "C write k1 1 ver=1; B append k0 3 ver=2; C append k0 2 ver=1; B read k1 -> nil");
  ASSERT_TRUE(history) << history.error().message;
  FastChecker fast(*history);
  EXPECT_NE(fast.judge(**find_model("sequential")).answer, Finding::Answer::holds);
}

TEST(Fast, AgreesWithTheExactCheckers) {
  const std::uint64_t seed = from_environment("CONSISTORY_SEED", 1);
  const std::uint64_t count = from_environment("CONSISTORY_COUNT", 3000);
  const std::uint64_t longest = from_environment("CONSISTORY_LONGEST", 24);
  RecordProperty("seed", std::to_string(seed));
  Random random(seed);
  std::map<std::string_view, std::size_t> answered;
  for (std::uint64_t i = 0; i < count && !HasFailure(); ++i) {
    const History history = random_history(random, random_shape(random, i % 4 == 0 ? longest : 10));
    FastChecker fast(history);
    for (const Model& model : all_models()) {
      answered[model.name] += expect_same(history, model, fast) ? 1 : 0;
    }
  }
  for (const char* always : {"linearizable", "cache", "causal-convergence", "weak-causal", "pram",
                             "monotonic-reads", "read-your-writes-view"})
    EXPECT_GT(answered[always], count / 2) << always;
  for (const char* often : {"sequential", "convergence", "eventual", "strong-eventual"})
    EXPECT_GT(answered[often], count / 20) << often;
}

}  // namespace
}  // namespace consistory
