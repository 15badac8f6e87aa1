#include "base/limits.h"

#include <gtest/gtest.h>

#include "base/parallel.h"

namespace consistory {
namespace {

TEST(TimeLimit, EndsWorkInEveryThread) {
  EXPECT_NO_THROW(check_time());
  {
    const TimeLimit limit(0);
    EXPECT_THROW(check_time(), OutOfTime);
    EXPECT_THROW(in_parallel(2, [](std::size_t, std::size_t) { check_time(); }), OutOfTime);
  }
  EXPECT_NO_THROW(check_time());
}

TEST(TimeLimit, AnInnerLimitCannotOutliveTheOuterOne) {
  const TimeLimit outer(0);
  const TimeLimit inner(3600 * kSecond);
  EXPECT_THROW(check_time(), OutOfTime);
}

TEST(ParseBytes, ReadsUnits) {
  EXPECT_EQ(*parse_bytes("500M"), 500ULL << 20);
  EXPECT_EQ(*parse_bytes("2G"), 2ULL << 30);
  EXPECT_EQ(*parse_bytes("2048k"), 2ULL << 20);
  EXPECT_EQ(*parse_bytes("1048576"), 1ULL << 20);
}

TEST(ParseBytes, RefusesNonsense) {
  for (const char* text : {"", "M", "-1M", "5", "1.5G", "500m", "5 G", "99999999999G", "1T", "0"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

}  // namespace
}  // namespace consistory
