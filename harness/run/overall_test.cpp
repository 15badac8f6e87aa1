// The verdict on a run, and the rank of exit codes.
#include "harness/run/overall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkers/history/text.h"

namespace consistory {
namespace {

RunRecord judged(std::string_view text, std::vector<std::string> promised) {
  RunRecord run;
  run.recording.history = *parse_history_text(text);
  run.judgement = judge(run.history(), {});
  run.pressure = measure_pressure(run.history(), {});
  run.promised = std::move(promised);
  run.status = "finished";
  run.checked = true;
  return run;
}

OverallVerdict overall(RunRecord run, const std::vector<std::string>& required_by_user = {}) {
  run.required_by_user = required_by_user;
  decide_overall(run);
  return run.overall;
}

const char* const kFine = "A write x 1; B read x -> 1";
const char* const kStale = "A write x 1; B write x 2; A read x -> nil";

TEST(Overall, HoldsWhatWasPromised) {
  EXPECT_EQ(overall(judged(kFine, {"linearizable"})).exit_code, 0);
}

TEST(Overall, APromiseIncludesWhatItImplies) {
  const OverallVerdict verdict = overall(judged(kStale, {"causal-convergence"}));
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_THAT(verdict.sentence, testing::HasSubstr("read-your-writes"));
  EXPECT_EQ(overall(judged(kStale, {"monotonic-reads"})).exit_code, 0);  // others are reported only
}

TEST(Overall, ASetThatContainsTheRequiredGuaranteeCounts) {
  const char* const text = "A write x 1; A write x 2; A read x -> 1; B read x -> 2";
  EXPECT_EQ(overall(judged(text, {"read-your-writes"})).exit_code, 0);
  const OverallVerdict verdict = overall(judged(text, {"read-your-writes"}), {"read-your-writes"});
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_THAT(verdict.sentence, testing::HasSubstr("monotonic-writes+read-your-writes"));
}

TEST(Overall, ExpectedViolations) {
  RunRecord run = judged(kStale, {"linearizable"});
  run.expected_violations = {"read-your-writes"};
  EXPECT_EQ(overall(run).exit_code, 0);
  RunRecord fine = judged(kFine, {});
  fine.expected_violations = {"read-your-writes"};
  EXPECT_EQ(overall(fine).exit_code, 1);
}

TEST(Overall, WhatWasNotDecidedIsNoPass) {
  EXPECT_EQ(overall(judged(kFine, {"eventual"})).exit_code, 2);        // no final reads
  EXPECT_EQ(overall(judged("A write x 1", {"causal"})).exit_code, 2);  // vacuous
}

TEST(Overall, AViolationOutranksAStoreFailure) {
  RunRecord run = judged(kStale, {"read-your-writes"});
  run.failure = "node n1 exited";
  EXPECT_EQ(overall(run).exit_code, 1);
  RunRecord fine = judged(kFine, {"linearizable"});
  fine.failure = "node n1 exited";
  EXPECT_EQ(overall(fine).exit_code, 3);
}

TEST(ExitCodes, NothingMasksAViolation) {
  for (const int other : {70, 3, 69, 2, 0}) {
    EXPECT_EQ(worse_exit_code(1, other), 1);
    EXPECT_EQ(worse_exit_code(other, 1), 1);
  }
  EXPECT_EQ(worse_exit_code(2, 69), 69);
  EXPECT_EQ(worse_exit_code(69, 3), 3);
  EXPECT_EQ(worse_exit_code(3, 70), 70);
  EXPECT_EQ(worse_exit_code(0, 2), 2);
}

}  // namespace
}  // namespace consistory
