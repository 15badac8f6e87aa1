#include "checkers/staleness.h"

#include <gtest/gtest.h>

#include "checkers/history/text.h"

namespace consistory {
namespace {

Staleness of(const std::string& text) {
  const Result<History> history = parse_history_text(text);
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  return measure_staleness(*history);
}

TEST(Staleness, AFreshReadHasNoLag) {
  const Staleness staleness = of("A write x 1; B read x -> 1; B read y -> nil");
  EXPECT_EQ(staleness.reads, 2U);
  EXPECT_EQ(staleness.fresh, 2U);
  EXPECT_EQ(staleness.most.versions, 0U);
}

TEST(Staleness, CountsWhatIsCertainlyNewer) {
  // The read begins at 40 ms; 2 was complete at 19 ms, 3 at 29 ms.
  const Staleness staleness =
      of("A write x 1 [0,9]; A write x 2 [10,19]; A write x 3 [20,29]; B read x -> 1 [40,49]");
  EXPECT_EQ(staleness.most.versions, 2U);
  EXPECT_EQ(staleness.most.time, 21 * kMillisecond);
}

TEST(Staleness, ConcurrentUpdatesExcuseARead) {
  EXPECT_EQ(of("A write x 1 [0,30]; C write x 2 [5,12]; B read x -> 1 [40,49]").fresh, 1U);
  EXPECT_EQ(of("A write x 1 [0,9]; C write x 2 [10,45]; B read x -> 1 [40,49]").fresh, 1U);
}

TEST(Staleness, TheInitialValueIsOlderThanAll) {
  const Staleness staleness = of("A write x 1 [0,9]; B read x -> nil [20,29]");
  EXPECT_EQ(staleness.most.versions, 1U);
  EXPECT_EQ(staleness.most.time, 11 * kMillisecond);
}

TEST(Staleness, TellsFromWhichAgeReadsAreFresh) {
  // Reads 1 ms, 11 ms and 31 ms after the update was complete: the first is stale.
  const Staleness staleness = of(
      "A write x 1 [0,9]; B read x -> nil [10,14]; C read x -> 1 [20,24]; B read x -> 1 [40,49]");
  EXPECT_EQ(staleness.visible_99, 11 * kMillisecond);
  EXPECT_EQ(of("A write x 1 [0,9]; B read x -> nil [20,29]").visible_99, -1);
}

TEST(Staleness, OneStaleReadOfManyDoesNotHideFromWhichAgeReadsAreFresh) {
  std::string text = "A write x 1 [0,1]; B read x -> nil [9000,9001]";
  for (int i = 0; i < 200; ++i)
    text +=
        "; C read x -> 1 [" + std::to_string(20 + 3 * i) + "," + std::to_string(21 + 3 * i) + "]";
  EXPECT_EQ(of(text).visible_99, 19 * kMillisecond);
}

TEST(Staleness, ListsMayHoldTheSameValues) {
  EXPECT_EQ(of("A append l 1; A write x 1; B read x -> 1").reads, 1U);
}

TEST(Staleness, SaysNothingOfWhatItCannotKnow) {
  EXPECT_EQ(of("A append l 1; B read l -> []").reads, 0U);
  EXPECT_EQ(of("A write x 1; B write x 1; B read x -> 1").reads, 0U);
  EXPECT_EQ(of("A write x 1; F read x -> nil final").reads, 0U);
  EXPECT_EQ(of("A write x 1 ?; A write x 2; B read x -> 1").fresh, 1U);
}

}  // namespace
}  // namespace consistory
