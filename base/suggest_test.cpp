#include "base/suggest.h"

#include <gtest/gtest.h>

namespace consistory {
namespace {

TEST(EditDistance, CountsSwapsAsOne) {
  EXPECT_EQ(edit_distance("rnu", "run"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("pause", "pause"), 0U);
}

TEST(Closest, FindsANearNameAndRefusesAFarOne) {
  EXPECT_EQ(closest("partitoin", {"kill", "partition", "pause"}), "partition");
  EXPECT_EQ(closest("zebra", {"kill", "partition"}), "");
}

TEST(UnknownName, EscapesWhatItShows) {
  EXPECT_EQ(unknown_name("fault", "\x1b", {"kill"}), "unknown fault \"\\x1b\" (known: kill)");
}

}  // namespace
}  // namespace consistory
