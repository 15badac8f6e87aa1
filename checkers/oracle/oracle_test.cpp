// The oracle against the suite, whose verdicts another program computed; then every checker against
// the oracle: all histories of a few operations, and random ones.
#include "checkers/oracle/oracle.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "checkers/history/builder.h"
#include "checkers/history/litmus.h"
#include "checkers/judge.h"
#include "checkers/testing/random_history.h"

namespace consistory {
namespace {

std::string word_of(OracleAnswer answer) {
  switch (answer) {
    case OracleAnswer::holds:
      return "valid";
    case OracleAnswer::violated:
      return "invalid";
    case OracleAnswer::not_checked:
      return "na";
    case OracleAnswer::gave_up:
      return "gave up";
  }
  return {};
}

OracleAnswer ask(const History& history, const Model& model) {
  if (model.guarantees) return ask_oracle_about_guarantees(history, *model.guarantees, 20'000'000);
  return ask_oracle(history, model.oracle, 20'000'000);
}

TEST(Oracle, AgreesWithTheSuite) {
  const std::string folder = std::string(CONSISTORY_SOURCE_DIR) + "/checkers/testdata/litmus/";
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line); ++cases) {
      const auto litmus = parse_litmus_line(line, entry.path());
      ASSERT_TRUE(litmus);
      if (litmus->history.size() > 12) continue;
      for (const Model& model : all_models()) {
        EXPECT_EQ(word_of(ask(litmus->history, model)),
                  litmus->expect.at(std::string(model.oracle)))
            << litmus->id << " " << model.name;
      }
    }
  }
  EXPECT_GT(cases, 1000U);
}

std::string word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds:
      return "valid";
    case Verdict::violated:
      return "invalid";
    case Verdict::not_checked:
      return "na";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return {};
}

void expect_same(const History& history) {
  JudgeOptions options;
  options.witnesses = false;
  options.split_sessions = false;
  options.use_implications = false;
  const Judgement judgement = judge(history, options);
  for (const JudgedModel& judged : judgement.models) {
    EXPECT_EQ(word_of(judged.verdict.verdict), word_of(ask(history, *judged.model)))
        << judged.model->name << "\n"
        << text_of(history);
  }
}

TEST(Oracle, AgreesOnRandomHistories) {
  const std::uint64_t seed = from_environment("CONSISTORY_SEED", 1);
  const std::uint64_t count = from_environment("CONSISTORY_COUNT", 2000);
  std::printf("seed %lu, %lu histories\n", static_cast<unsigned long>(seed),
              static_cast<unsigned long>(count));
  Random random(seed);
  for (std::uint64_t i = 0; i < count && !HasFailure(); ++i) {
    HistoryShape shape = random_shape(random, i % 8 == 0 ? 9 : 7);
    // Equal elements of lists multiply: a few are enough to try them all.
    if (random.chance(0.3)) shape.duplicates = shape.lists > 0 ? 0.15 : 0.4;
    expect_same(random_history(random, shape));
  }
}

/// Every history of `length` operations: each is a read or an update of one of two keys by one of
/// three sessions (a session, key or value is not used before the one below it was), values from
/// two, and at most one update is indeterminate.
class EveryHistory {
 public:
  explicit EveryHistory(std::size_t length) : length_(length) {}

  std::size_t run() {
    extend();
    return count_;
  }

 private:
  struct Op {
    int session, key, value;  // value 0: nil
    bool write, info;
  };

  void extend() {
    if (ops_.size() == length_) return judge_it();
    int sessions = 0, keys = 0;
    bool info = false;
    for (const Op& op : ops_) {
      sessions = std::max(sessions, op.session + 1);
      keys = std::max(keys, op.key + 1);
      info = info || op.info;
    }
    for (int session = 0; session < std::min(sessions + 1, 3); ++session) {
      for (int key = 0; key < std::min(keys + 1, 2); ++key) {
        for (int value = 0; value <= 2; ++value) {
          add({session, key, value, false, false});
          if (value > 0) add({session, key, value, true, false});
          if (value > 0 && !info) add({session, key, value, true, true});
        }
      }
    }
  }

  void add(const Op& op) {
    ops_.push_back(op);
    extend();
    ops_.pop_back();
  }

  void judge_it() {
    if (testing::Test::HasFailure()) return;
    HistoryBuilder builder;
    std::int64_t now = 0;
    for (const Op& op : ops_) {
      RawOperation raw;
      raw.session = std::string(1, static_cast<char>('A' + op.session));
      raw.key = std::string(1, static_cast<char>('x' + op.key));
      raw.function = op.write ? Function::write : Function::read;
      if (op.value > 0) raw.value = Value::of(op.value);
      if (op.info) raw.outcome = Outcome::info;
      raw.invoke = now++;
      raw.complete = op.info ? kNever : now++;
      builder.add(raw);
    }
    ++count_;
    const Result<History> history = std::move(builder).finish();
    ASSERT_TRUE(history);
    expect_same(*history);
  }

  std::size_t length_;
  std::size_t count_ = 0;
  std::vector<Op> ops_;
};

TEST(Oracle, AgreesOnEverySmallHistory) {
  const std::uint64_t longest = from_environment("CONSISTORY_LONGEST", 3);
  for (std::size_t length = 1; length <= longest && !HasFailure(); ++length) {
    std::printf("%zu histories of %zu operations\n", EveryHistory(length).run(), length);
  }
}

}  // namespace
}  // namespace consistory
