// Isolation levels: small histories with known verdicts and named anomalies, then random ones
// against brute force.
#include <gtest/gtest.h>

#include "base/random.h"
#include "checkers/imports/transaction_text.h"
#include "checkers/testing/random_history.h"
#include "checkers/testing/random_transactions.h"
#include "checkers/transactions/oracle.h"

namespace consistory {
namespace {

Verdict verdict_of(const TransactionJudgement& judgement, Level level) {
  for (const LevelVerdict& verdict : judgement.levels) {
    if (verdict.level == level) return verdict.verdict;
  }
  return Verdict::not_checked;
}

std::vector<std::string> anomalies_of(const TransactionJudgement& judgement, Level level) {
  std::vector<std::string> names;
  for (const LevelVerdict& verdict : judgement.levels) {
    if (verdict.level != level) continue;
    for (const TransactionAnomaly& anomaly : verdict.anomalies) names.push_back(anomaly.name);
  }
  return names;
}

TransactionHistory parsed(const char* text) {
  auto history = read_transaction_text(text, "test");
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  return std::move(*history);
}

/// The strongest levels that hold and the weakest that do not.
void expect_between(const TransactionHistory& history, std::vector<Level> holding,
                    std::vector<Level> violated) {
  const TransactionJudgement judgement = judge_transactions(history, {});
  for (const Level level : holding)
    EXPECT_EQ(verdict_of(judgement, level), Verdict::holds) << info_of(level).name;
  for (const Level level : violated)
    EXPECT_EQ(verdict_of(judgement, level), Verdict::violated) << info_of(level).name;
}

TEST(Transactions, WriteSkewIsSnapshotIsolationAndNotSerializable) {
  expect_between(parsed("w x 1\nw y 1\n=====\nr x 1\nr y 1\nw x 2\n=====\nr x 1\nr y 1\nw y 2\n"),
                 {Level::snapshot, Level::prefix}, {Level::serializable});
}

TEST(Transactions, LostUpdateIsPrefixAndNotParallelSnapshot) {
  expect_between(parsed("w x 1\n=====\nr x 1\nw x 2\n=====\nr x 1\nw x 3\n"), {Level::prefix},
                 {Level::parallel_snapshot, Level::snapshot});
}

TEST(Transactions, LongForkIsParallelSnapshotAndNotPrefix) {
  expect_between(parsed("w x 1\nw y 1\n=====\nw x 2\n=====\nw y 2\n=====\nr x 2\nr y 1\n=====\n"
                        "r x 1\nr y 2\n"),
                 {Level::parallel_snapshot, Level::causal}, {Level::prefix, Level::snapshot});
}

TEST(Transactions, FracturedReadIsReadCommittedAndNotReadAtomic) {
  const TransactionHistory history =
      parsed("w x 1\nw y 1\n=====\nw x 2\nw y 2\n=====\nr x 1\nr y 2\n");
  expect_between(history, {Level::read_committed}, {Level::read_atomic});
  EXPECT_EQ(anomalies_of(judge_transactions(history, {}), Level::read_atomic),
            std::vector<std::string>{"fractured-read"});
}

TEST(Transactions, CausalityViolationIsReadAtomicAndNotCausal) {
  expect_between(
      parsed("w x 1\n=====\nr x 1\n-----\nw y 1\n=====\nr y 1\n-----\nr x 1\nw x 2\n=====\n"
             "r x 2\n-----\nw z 1\n=====\nr z 1\nr x 1\n"),
      {Level::read_atomic}, {Level::causal});
}

TEST(Transactions, ReadsOfSingleOperationsAreNamed) {
  const auto named = [](const char* text) {
    return anomalies_of(judge_transactions(parsed(text), {}), Level::read_committed);
  };
  EXPECT_EQ(named("r x 7\n"), std::vector<std::string>{"thin-air-read"});
  EXPECT_EQ(named("w x 1\nw x 2\n=====\nr x 1\n"),
            std::vector<std::string>{"G1b-intermediate-read"});
  EXPECT_EQ(named("w x 1\nr x 2\n=====\nw x 2\n"), std::vector<std::string>{"internal"});
}

TEST(Transactions, ManyReadersOfTheInitialStateMayWriteIt) {
  // A long fork through the third of three transactions that read x as nil and write it.
  TransactionBuilder builder;
  const auto begin = [&](const char* session) { builder.begin(session, Outcome::ok, 0, 10); };
  begin("a");
  builder.read("x", Value::nil());
  builder.write("x", Value::of(1));
  begin("b");
  builder.read("x", Value::nil());
  builder.write("x", Value::of(2));
  begin("c");
  builder.write("y", Value::of(1));
  begin("d");
  builder.read("x", Value::nil());
  builder.read("y", Value::of(1));
  builder.write("x", Value::of(3));
  begin("e");
  builder.read("x", Value::of(1));
  builder.read("y", Value::nil());
  const auto history = std::move(builder).finish("test");
  ASSERT_TRUE(history);
  expect_between(*history, {Level::causal}, {Level::prefix});
}

TEST(Transactions, WithoutTimesRealTimeIsNotChecked) {
  const TransactionJudgement judgement = judge_transactions(parsed("r x 1\n=====\nw x 1\n"), {});
  EXPECT_EQ(verdict_of(judgement, Level::serializable), Verdict::holds);
  EXPECT_EQ(verdict_of(judgement, Level::strict_serializable), Verdict::not_checked);
}

TEST(Transactions, ValuesWrittenTwiceAreNotGuessedAt) {
  const TransactionJudgement judgement = judge_transactions(parsed("w x 1\n=====\nw x 1\n"), {});
  for (const LevelVerdict& level : judgement.levels) {
    EXPECT_EQ(level.verdict, Verdict::inconclusive);
    EXPECT_NE(level.why.find("more than once"), std::string::npos);
  }
}

TEST(Transactions, ImplicationsAreTheTables) {
  for (const LevelInfo& info : all_levels()) {
    for (const Level weaker : info.implies) EXPECT_LT(weaker, info.level);
  }
  EXPECT_FALSE(find_level("serialisable"));
  EXPECT_TRUE(find_level("si"));
}

TEST(Transactions, AgreeWithBruteForce) {
  const std::uint64_t seed = from_environment("CONSISTORY_SEED", 7);
  Random random(seed);
  std::map<Level, std::size_t> holding, violated;
  std::size_t open = 0;
  for (std::uint64_t i = 0; i < from_environment("CONSISTORY_COUNT", 20'000); ++i) {
    const TransactionHistory history = random_transactions(random);
    const TransactionJudgement judgement = judge_transactions(history, {});
    for (const LevelVerdict& level : judgement.levels) {
      const bool allowed = oracle_allows(history, level.level);
      if (level.verdict == Verdict::inconclusive) {
        ++open;
        continue;
      }
      ASSERT_EQ(level.verdict, allowed ? Verdict::holds : Verdict::violated)
          << info_of(level.level).name << ", seed " << seed << ", history " << i << "\n"
          << text_of(history) << (level.anomalies.empty() ? "" : level.anomalies.front().text);
      ++(allowed ? holding : violated)[level.level];
    }
  }
  for (const LevelInfo& info : all_levels()) {
    EXPECT_GT(holding[info.level], 0U) << info.name;
    EXPECT_GT(violated[info.level], 0U) << info.name;
  }
  EXPECT_EQ(open, 0U);
}

}  // namespace
}  // namespace consistory
