#include "checkers/anomalies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "checkers/history/text.h"
#include "checkers/models/registry.h"
#include "checkers/testing/random_history.h"

namespace consistory {
namespace {

const AnomalySet every_class = [](Anomaly) { return true; };

/// "stale-read 2, lost-update 1": the classes with their counts.
std::string of(const std::string& text) {
  const Result<History> history = parse_history_text(text);
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  std::vector<std::string> shown;
  for (const AnomalyGroup& group : group_anomalies(*history, every_class)) {
    EXPECT_FALSE(group.example.empty());
    shown.push_back(fmt::format("{} {}", name_of(group.anomaly), group.count));
  }
  return fmt::format("{}", fmt::join(shown, ", "));
}

TEST(Anomalies, AHistoryWithoutAnyHasNone) {
  EXPECT_EQ(of("A write x 1 [0,9]; B read x -> 1 [10,19]; A append l 1; B read l -> [1]"), "");
}

TEST(Anomalies, ListsMayHoldTheValuesOfRegisters) {
  EXPECT_EQ(of("A write x 1 [0,9]; A append l 1 [10,19]; B read x -> nil [20,29]"), "stale-read 1");
}

TEST(Anomalies, EachReadCountsOnceInItsClass) {
  EXPECT_EQ(of("A read x -> 7; B read x -> 7"), "thin-air-read 2");
  EXPECT_EQ(of("B read x -> 1 [0,9]; A write x 1 [10,19]"), "future-read 1");
  EXPECT_EQ(of("A write x 1 [0,9]; B read x -> nil [20,29]; C read x -> nil [20,29]"),
            "stale-read 2");
}

TEST(Anomalies, SessionsThatGoBack) {
  EXPECT_EQ(
      of("A write x 1 [0,50]; C write x 2 [0,50]; B read x -> 1 [0,9]; B read x -> 2 [10,19]; "
         "B read x -> 1 [20,29]"),
      "non-monotonic-read 1");
  EXPECT_EQ(of("A write x 1 [0,50] ver=1; C write x 2 [0,50] ver=2; B read x -> 2 [0,9] ver=2; "
               "B read x -> 1 [10,19] ver=1"),
            "non-monotonic-read 1");
  EXPECT_EQ(of("A append l 1 [0,50]; B read l -> [1] [0,9]; B read l -> [] [10,19]"),
            "non-monotonic-read 1");
}

TEST(Anomalies, OwnWritesMissed) {
  EXPECT_EQ(of("A append l 1; A read l -> []"), "own-write-missed 1");
  EXPECT_EQ(of("A write x 1 [0,9]; A read x -> nil [10,19]"), "stale-read 1, own-write-missed 1");
}

TEST(Anomalies, WhatHadToBeKnown) {
  EXPECT_EQ(of("A write x 1 [0,90]; B read x -> 1 [1,2]; B write x 2 [3,90]; C read x -> 2 [5,6]; "
               "C write y 1 [7,90]; D read y -> 1 [9,10]; D read x -> 1 [11,12]"),
            "overwritten-read 1");
}

TEST(Anomalies, ListsAndSwaps) {
  EXPECT_EQ(of("A append l 1 [0,90]; B append l 2 [0,90]; C read l -> [1 2] [0,9]; "
               "D read l -> [2 1] [0,9]; D read l -> [2 1] [10,19]"),
            "list-order-conflict 2");
  EXPECT_EQ(of("A append l 1; B read l -> [1 1]"), "repeated-element 1");
  EXPECT_EQ(of("A write x 1; B cas x 1 2 ; C cas x 1 3"), "lost-update 1");
}

TEST(Anomalies, WhatIsAllowedIsNone) {
  EXPECT_EQ(of("A write x 1 ? [0,9]; A write x 2 [10,19]; A read x -> 1 [20,29]"), "");
  EXPECT_EQ(of("A write x 1; A delete x; B read x -> nil"), "");
  EXPECT_EQ(of("A append l 5; A append l 5; B read l -> [5 5]"), "");
  EXPECT_EQ(of("A append l 1; A append l 2; A append l 3; B read l -> [1 2 3]; C read l -> [1 3]"),
            "list-gap 1");
}

TEST(Anomalies, TheEnd) {
  EXPECT_EQ(of("A append l 1; F read l -> [] final @n1; G read l -> [1] final @n2"),
            "lost-append 1, divergence 1");
}

/// Each class proves that some model is violated.
TEST(Anomalies, AgreeWithTheModels) {
  Random random(79);
  for (int i = 0; i < 3'000; ++i) {
    const History history = random_history(random, random_shape(random, 8));
    Budget budget(1'000'000);
    for (const AnomalyGroup& group : group_anomalies(history, every_class)) {
      const auto model = find_model(forbidden_by(group.anomaly));
      ASSERT_TRUE(model);
      EXPECT_NE((*model)->judge(history, budget).verdict, Verdict::holds)
          << name_of(group.anomaly) << "\n"
          << text_of(history);
    }
  }
}

}  // namespace
}  // namespace consistory
