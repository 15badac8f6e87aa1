// The search on values against the oracle, also where the checkers would not have needed it.
#include "checkers/models/value_search.h"

#include <gtest/gtest.h>

#include <numeric>

#include "checkers/history/text.h"
#include "checkers/models/register_search.h"
#include "checkers/models/total_order.h"
#include "checkers/oracle/oracle.h"
#include "checkers/order/resolution.h"
#include "checkers/testing/random_history.h"

namespace consistory {
namespace {

Answer answer_of(const History& history, bool real_time = false, std::uint64_t steps = 1'000'000) {
  Budget budget(steps);
  return order_values(history, ordinary_scope(history).operations, real_time, budget);
}

Answer answer_of(const char* text) {
  const auto history = parse_history_text(text);
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  return answer_of(*history);
}

TEST(ValueSearch, FindsTheOnlyOrderOfRepeatedValues) {
  EXPECT_EQ(answer_of("A write x 1; A write x 2; B write x 1; C read x -> 2; C read x -> 1"),
            Answer::yes);
  EXPECT_EQ(answer_of("A write x 1; A write x 2; C read x -> 2; C read x -> 1"), Answer::no);
}

TEST(ValueSearch, AnIndeterminateCasNeedNotTakeEffect) {
  EXPECT_EQ(answer_of("A write x 1; B cas x 1 2 ?; A write x 3; C read x -> 3"), Answer::yes);
  EXPECT_EQ(answer_of("A write x 1; B cas x 1 2 ?; A write x 3; C read x -> 2; C read x -> 3"),
            Answer::yes);
}

TEST(ValueSearch, ABlindMismatchNeedsAnotherValue) {
  EXPECT_EQ(answer_of("A write x 1; A write x 1; B cas x 1 2 -> no; B read x -> 1"), Answer::yes);
  EXPECT_EQ(answer_of("A write x 1; A cas x 1 2 -> no"), Answer::no);
}

TEST(ValueSearch, ListsWithEqualElements) {
  EXPECT_EQ(answer_of("A append l 1; B append l 1; C read l -> [1]; C read l -> [1 1]"),
            Answer::yes);
  EXPECT_EQ(answer_of("A append l 1; B append l 2; C read l -> [1 2]; D read l -> [2]"),
            Answer::no);
}

TEST(ValueSearch, GivesUpInBounds) {
  const auto history = parse_history_text("A write x 1; B write x 1; C read x -> 1; C read x -> 2");
  ASSERT_TRUE(history);
  EXPECT_EQ(answer_of(*history, false, 0), Answer::open);
}

std::vector<OperationId> all_of(const History& history) {
  std::vector<OperationId> all(history.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

TEST(RegisterSearch, VersionsMustAscend) {
  const auto answer = [](std::string_view text) {
    const History history = *parse_history_text(text);
    Budget budget(1'000);
    return linearize_register(history, all_of(history),
                              *versions_of_values(history, all_of(history)), budget);
  };
  EXPECT_EQ(answer("A write x 1 ver=2; B write x 2 ver=1"), Answer::no);
  EXPECT_EQ(answer("A write x 1 ver=1; B write x 2 ver=2; C cas x 1 3 -> no"), Answer::yes);
  const History deleted =
      *parse_history_text("A write x 1 ver=1; A delete x; B read x -> nil ver=0");
  EXPECT_FALSE(versions_of_values(deleted, all_of(deleted)));
}

TEST(RegisterSearch, AgreesWithTheOracleWhereVersionsAreTold) {
  Random random(from_environment("CONSISTORY_SEED", 17));
  std::size_t searched = 0, refuted = 0;
  for (std::uint64_t i = 0; i < from_environment("CONSISTORY_COUNT", 400) * 10; ++i) {
    HistoryShape shape = random_shape(random, 9);
    shape.lists = shape.duplicates = 0;
    shape.versions = 0.9;
    shape.cas = 0.6;
    shape.mismatches = 0.3;
    shape.keys = 1;
    const History history = random_history(random, shape);
    const auto versions = versions_of_values(history, all_of(history));
    if (!versions || versions->empty() || !values_repeat(history, all_of(history))) continue;
    const OracleAnswer expected = ask_oracle(history, "lin", 20'000'000);
    if (expected == OracleAnswer::gave_up) continue;
    Budget budget(5'000'000);
    const Verdict verdict = judge_linearizable(history, budget).verdict;
    ASSERT_EQ(verdict, expected == OracleAnswer::holds ? Verdict::holds : Verdict::violated)
        << text_of(history);
    ++searched;
    refuted += verdict == Verdict::violated ? 1 : 0;
  }
  std::printf("%zu searched, %zu refuted\n", searched, refuted);
  EXPECT_GT(searched, 100U);
  EXPECT_GT(refuted, 20U);
}

TEST(ValueSearch, AgreesWithTheOracle) {
  const std::uint64_t seed = from_environment("CONSISTORY_SEED", 31);
  Random random(seed);
  std::size_t found[2] = {0, 0};
  for (std::uint64_t i = 0; i < from_environment("CONSISTORY_COUNT", 400); ++i) {
    HistoryShape shape = random_shape(random, 11);
    shape.versions = 0;
    shape.duplicates = 0.6;
    const History history = random_history(random, shape);
    const bool real_time = i % 2 == 1;
    const OracleAnswer expected = ask_oracle(history, real_time ? "lin" : "sc", 20'000'000);
    if (expected == OracleAnswer::gave_up) continue;
    const Answer answer = answer_of(history, real_time);
    ASSERT_EQ(answer, expected == OracleAnswer::holds ? Answer::yes : Answer::no)
        << "seed " << seed << "\n"
        << text_of(history);
    ++found[answer == Answer::yes ? 1 : 0];
  }
  EXPECT_GT(found[0], 0U);
  EXPECT_GT(found[1], 0U);
}

}  // namespace
}  // namespace consistory
