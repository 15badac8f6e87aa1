#include "checkers/agreement.h"

#include <gtest/gtest.h>

#include "checkers/history/text.h"

namespace consistory {
namespace {

Agreement of(const std::string& text, Nanos healed = -1) {
  const Result<History> history = parse_history_text(text);
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  return measure_agreement(*history, healed);
}

TEST(Agreement, ComparesReadsThatFollowEachOtherAtDifferentNodes) {
  const Agreement agreement = of(
      "A write x 1; B read x -> 1 @n1; C read x -> nil @n2; C read x -> 1 @n2; B read x -> 1 @n1");
  EXPECT_EQ(agreement.pairs, 2U);
  EXPECT_EQ(agreement.agreeing, 1U);
}

TEST(Agreement, ListsAgreeElementByElement) {
  const Agreement agreement =
      of("A append l 1; A append l 2; B read l -> [1 2] @n1; B read l -> [1] @n2; B read l -> [1] "
         "@n1");
  EXPECT_EQ(agreement.pairs, 2U);
  EXPECT_EQ(agreement.agreeing, 1U);
}

TEST(Agreement, BoundsTheTimeToConverge) {
  // The update was complete at 9 ms; n2 still lacked it when asked at 20 ms, and had it by 39 ms.
  const std::string text =
      "A write x 1 [0,9]; B read x -> nil [20,29] @n2; B read x -> 1 [30,39] @n2; "
      "F read x -> 1 [50,59] @n1 final; F read x -> 1 [60,69] @n2 final";
  const Agreement agreement = of(text);
  EXPECT_EQ(agreement.keys_converged, 1U);
  EXPECT_EQ(agreement.converged_after_at_least, 11 * kMillisecond);
  EXPECT_EQ(agreement.converged_after_at_most, 50 * kMillisecond);  // n1: nobody asked it before
  EXPECT_EQ(of(text, 25 * kMillisecond).converged_after_at_least, 0);
  EXPECT_EQ(of(text, 25 * kMillisecond).converged_after_at_most, 34 * kMillisecond);
}

TEST(Agreement, CountsWhatNeverConverged) {
  const Agreement agreement = of("A write x 1; F read x -> 1 @n1 final; F read x -> nil @n2 final");
  EXPECT_EQ(agreement.keys_diverged, 1U);
  EXPECT_EQ(agreement_text(agreement), "1 of 1 keys never converged");
}

}  // namespace
}  // namespace consistory
