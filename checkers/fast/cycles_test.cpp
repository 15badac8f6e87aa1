#include "checkers/fast/cycles.h"

#include <gtest/gtest.h>

namespace consistory {
namespace {

TEST(Cycles, NoneInAnOrder) {
  EXPECT_TRUE(find_cycle(0, {}).empty());
  EXPECT_TRUE(find_cycle(3, {{0, 1}, {1, 2}, {0, 2}}).empty());
}

TEST(Cycles, TheShorterOfTwo) {
  const auto cycle = find_cycle(5, {{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 4, 7}, {4, 3, 8}});
  ASSERT_EQ(cycle.size(), 2U);
  EXPECT_EQ(cycle[0].because + cycle[1].because, 15U);
}

TEST(Cycles, IsFoundBehindAndBeforeALongTail) {
  constexpr std::uint32_t kTail = 20'000;
  for (const bool before : {true, false}) {
    std::vector<Before> edges = {{kTail, kTail + 1}, {kTail + 1, kTail}};
    for (std::uint32_t node = 0; node + 1 < kTail; ++node) edges.push_back({node, node + 1});
    edges.push_back(before ? Before{kTail, 0} : Before{kTail - 1, kTail});
    EXPECT_EQ(find_cycle(kTail + 2, edges).size(), 2U);
  }
}

TEST(Cycles, OneThatIsLongerThanTheSearch) {
  constexpr std::uint32_t kLength = 3'000'000;
  std::vector<Before> edges;
  for (std::uint32_t node = 0; node < kLength; ++node)
    edges.push_back({node, (node + 1) % kLength});
  EXPECT_EQ(find_cycle(kLength, edges).size(), kLength);
}

}  // namespace
}  // namespace consistory
