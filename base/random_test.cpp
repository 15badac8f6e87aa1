#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace consistory {
namespace {

TEST(Random, SameSeedSameStream) {
  Random a(7), b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Random, ForksDifferByNameAndLeaveTheParentAlone) {
  Random a(7);
  EXPECT_NE(a.fork("faults").next(), a.fork("keys").next());
  EXPECT_EQ(a.fork("faults").next(), Random(7).fork("faults").next());
  EXPECT_EQ(a.next(), Random(7).next());
}

TEST(Random, BelowCoversItsRange) {
  Random random(1);
  std::set<std::size_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.below(5));
  EXPECT_EQ(seen, (std::set<std::size_t>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace consistory
