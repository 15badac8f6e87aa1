// Witnesses of isolation violations, and the anomalies of the literature as small cases.
#include "checkers/transactions/witness.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "checkers/testing/random_history.h"
#include "checkers/testing/random_transactions.h"
#include "checkers/transactions/oracle.h"

namespace consistory {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(trimmed(part));
  return parts;
}

/// "r x [1 2]".
void add_step(TransactionBuilder& builder, const std::string& text) {
  std::istringstream in(text);
  std::string access, key, value;
  in >> access >> key;
  std::getline(in, value);
  value = trimmed(value);
  if (access == "r" && value.front() == '[') {
    std::istringstream list(value.substr(1, value.size() - 2));
    std::vector<Value> elements;
    for (std::int64_t element = 0; list >> element;) elements.push_back(Value::of(element));
    return builder.read_list(key, elements);
  }
  const Value one = value == "nil" ? Value::nil() : Value::of(std::stoll(value));
  if (access == "r") builder.read(key, one);
  else if (access == "w") builder.write(key, one);
  else builder.append(key, one);
}

/// "A:0-9 w x 1, r y nil", "A! w x 1".
void add_transaction(TransactionBuilder& builder, const std::string& text, bool& timed) {
  const std::size_t space = text.find(' ');
  std::string who = text.substr(0, space);
  Outcome outcome = Outcome::ok;
  if (who.back() == '!' || who.back() == '?') {
    outcome = who.back() == '!' ? Outcome::fail : Outcome::info;
    who.pop_back();
  }
  std::int64_t invoke = 0;
  std::int64_t complete = kNever;
  if (const std::size_t colon = who.find(':'); colon != std::string::npos) {
    invoke = std::stoll(who.substr(colon + 1));
    complete = std::stoll(who.substr(who.find('-') + 1));
    who.resize(colon);
    timed = true;
  }
  builder.begin(who, outcome, invoke, complete);
  for (const std::string& step : split(text.substr(space), ',')) add_step(builder, step);
}

struct Case {
  std::string name;
  TransactionHistory history;
  std::set<std::string> violated;
  bool timed = false;
};

std::vector<Case> cases() {
  std::ifstream file(CONSISTORY_SOURCE_DIR "/checkers/testdata/transactions.litmus");
  std::vector<Case> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> parts = split(line, '|');
    Case one;
    one.name = parts.at(0);
    TransactionBuilder builder;
    for (const std::string& transaction : split(parts.at(1), ';'))
      add_transaction(builder, transaction, one.timed);
    one.history = *std::move(builder).finish(one.name);
    for (const std::string& level : split(parts.at(2), ' ')) one.violated.insert(level);
    one.violated.erase("-");
    all.push_back(std::move(one));
  }
  return all;
}

TEST(TransactionLitmus, CheckersAndBruteForceSayWhatTheLiteratureSays) {
  const std::vector<Case> all = cases();
  ASSERT_GT(all.size(), 15U);
  for (const Case& one : all) {
    for (const LevelVerdict& level : judge_transactions(one.history, {}).levels) {
      const std::string name(info_of(level.level).name);
      const bool real_time =
          level.level == Level::strict_serializable || level.level == Level::strong_snapshot;
      if (real_time && !one.timed) continue;
      const bool violated = one.violated.contains(name);
      EXPECT_EQ(level.verdict, violated ? Verdict::violated : Verdict::holds)
          << one.name << ": " << name;
      EXPECT_EQ(oracle_allows(one.history, level.level), !violated)
          << one.name << ": brute force on " << name;
    }
  }
}

TEST(TransactionWitness, EveryViolationHasOneThatNothingCanBeLeftOutOf) {
  Random random(from_environment("CONSISTORY_SEED", 79));
  std::size_t witnesses = 0;
  for (std::uint64_t i = 0; i < from_environment("CONSISTORY_COUNT", 1'500); ++i) {
    const TransactionHistory history = random_transactions(random);
    TransactionJudgement judgement = judge_transactions(history, {});
    const TransactionJudgement before = judgement;
    attach_witnesses(history, judgement);
    for (std::size_t l = 0; l < judgement.levels.size(); ++l) {
      const LevelVerdict& level = judgement.levels[l];
      ASSERT_EQ(level.verdict, before.levels[l].verdict) << info_of(level.level).name << level.why;
      if (level.verdict != Verdict::violated) continue;
      ASSERT_TRUE(level.witness) << info_of(level.level).name;
      ++witnesses;
      EXPECT_TRUE(level.witness->minimal);
      EXPECT_EQ(level.witness->recheck, OracleAnswer::violated);
      EXPECT_EQ(level.witness->original.size(), level.witness->history.transactions.size());
      EXPECT_FALSE(level.witness->anomalies.empty());
    }
  }
  EXPECT_GT(witnesses, 1'000U);
}

TEST(TransactionWitness, FindsTheFewAmongMany) {
  TransactionBuilder builder;
  for (std::int64_t i = 1; i <= 3'000; ++i) {
    builder.begin("A" + std::to_string(i % 7), Outcome::ok, i * 10, i * 10 + 9);
    builder.append("l" + std::to_string(i % 5), Value::of(i));
  }
  builder.begin("X", Outcome::ok, 50'000, 50'009);
  builder.read_list("p", {});
  builder.append("q", Value::of(std::int64_t{1}));
  builder.begin("Y", Outcome::ok, 50'000, 50'009);
  builder.read_list("q", {});
  builder.append("p", Value::of(std::int64_t{1}));
  const TransactionHistory history = *std::move(builder).finish("h");
  TransactionJudgement judgement = judge_transactions(history, {});
  attach_witnesses(history, judgement);
  for (const LevelVerdict& level : judgement.levels) {
    if (level.level != Level::serializable) continue;
    ASSERT_TRUE(level.witness);
    EXPECT_EQ(level.witness->original, (std::vector<TransactionId>{3'000, 3'001}));
    EXPECT_EQ(level.witness->anomalies.front().arrows.size(), 2U);
  }
}

}  // namespace
}  // namespace consistory
