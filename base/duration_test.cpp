#include "base/duration.h"

#include <gtest/gtest.h>

namespace consistory {
namespace {

TEST(ParseDuration, ReadsUnits) {
  EXPECT_EQ(*parse_duration("250ms"), 250 * kMillisecond);
  EXPECT_EQ(*parse_duration("1.5s"), 1'500 * kMillisecond);
  EXPECT_EQ(*parse_duration("2m"), 120 * kSecond);
}

TEST(ParseDuration, RefusesABareNumberAndShowsBothMeanings) {
  EXPECT_EQ(parse_duration("5").error().message, "duration \"5\" has no unit: write 5s or 5ms");
}

TEST(ParseDuration, RefusesNonsense) {
  for (const char* text : {"", "s", "-1s", "0s", "5 s", "1e99h", "nan", "5sec", "inf"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(FormatDuration, RoundTrips) {
  for (const char* text : {"250ms", "1.5s", "30s"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
}

}  // namespace
}  // namespace consistory
