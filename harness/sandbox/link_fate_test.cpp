// What links do to packets, without a network.
#include "harness/sandbox/link_fate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace consistory {
namespace {

constexpr std::size_t kBytes = 100;

LinkFate link_with(const LinkQuality& quality, std::uint64_t seed = 1) {
  LinkFate link{Random(seed)};
  link.impose(quality);
  return link;
}

LinkQuality everything() {
  LinkQuality quality;
  quality.delay = 5 * kMillisecond;
  quality.jitter = 20 * kMillisecond;
  quality.loss = 0.2;
  quality.duplicate = 0.3;
  quality.reorder = 0.2;
  quality.corrupt = 0.1;
  quality.corrupt_silently = 0.1;
  return quality;
}

TEST(LinkFate, SameSeedAndSequenceSameFates) {
  LinkFate a = link_with(everything(), 7), b = link_with(everything(), 7);
  LinkFate other = link_with(everything(), 8);
  int differences = 0;
  for (Nanos now = 0; now < kSecond; now += kMillisecond) {
    const PacketFate one = a.next(kBytes, now, true), same = b.next(kBytes, now, true);
    EXPECT_EQ(one.copies, same.copies);
    EXPECT_EQ(one.due, same.due);
    EXPECT_EQ(one.damage, same.damage);
    EXPECT_EQ(one.bit, same.bit);
    differences += other.next(kBytes, now, true).copies == one.copies ? 0 : 1;
  }
  EXPECT_GT(differences, 100);
}

TEST(LinkFate, SharesAreWhatWasAskedFor) {
  LinkFate link = link_with(everything());
  constexpr std::uint64_t kPackets = 20'000;
  for (std::uint64_t i = 0; i < kPackets; ++i)
    link.next(kBytes, static_cast<Nanos>(i) * kMillisecond, true);
  const LinkCounters& counters = link.counters();
  const auto share = [](std::uint64_t part, std::uint64_t of) {
    return static_cast<double>(part) / static_cast<double>(of);
  };
  const std::uint64_t passed = kPackets - counters.lost;
  EXPECT_EQ(counters.packets, kPackets);
  EXPECT_NEAR(share(counters.lost, kPackets), 0.2, 0.02);
  EXPECT_NEAR(share(counters.duplicated, passed), 0.3, 0.02);
  EXPECT_NEAR(share(counters.reordered, passed), 0.2, 0.02);
  EXPECT_NEAR(share(counters.corrupted, passed), 0.19, 0.02);
}

TEST(LinkFate, JitterKeepsTheOrderAndReorderingDoesNot) {
  LinkQuality jittery;
  jittery.jitter = 30 * kMillisecond;
  LinkFate ordered = link_with(jittery);
  Nanos last = 0;
  for (Nanos now = 0; now < kSecond; now += kMillisecond) {
    const Nanos due = ordered.next(kBytes, now, true).due;
    EXPECT_GE(due, last);
    last = due;
  }
  LinkQuality untidy;
  untidy.reorder = 0.2;
  LinkFate overtaken = link_with(untidy);
  int overtakings = 0;
  last = 0;
  for (Nanos now = 0; now < kSecond; now += kMillisecond) {
    const Nanos due = overtaken.next(kBytes, now, true).due;
    overtakings += due < last ? 1 : 0;
    last = due;
  }
  EXPECT_GT(overtakings, 50);
}

TEST(LinkFate, ANarrowLinkQueuesAndThenLoses) {
  LinkQuality narrow;
  narrow.bits_per_second = 8'000;  // ten packets a second
  LinkFate link = link_with(narrow);
  EXPECT_EQ(link.next(kBytes, 0, true).due, 100 * kMillisecond);
  EXPECT_EQ(link.next(kBytes, 0, true).due, 200 * kMillisecond);
  for (int i = 0; i < 20; ++i) link.next(kBytes, 0, true);
  EXPECT_GT(link.counters().lost, 5U);
  EXPECT_EQ(link.next(kBytes, 5 * kSecond, true).due, 5 * kSecond + 100 * kMillisecond);
}

TEST(LinkFate, WhatIsImposedTwiceIsLiftedTwice) {
  LinkQuality lossy;
  lossy.loss = 1;
  LinkFate link{Random(1)};
  link.impose(lossy);
  link.impose(lossy);
  link.lift(lossy);
  EXPECT_EQ(link.next(kBytes, 0, true).copies, 0);
  link.lift(lossy);
  link.lift(lossy);
  EXPECT_EQ(link.next(kBytes, 0, true).copies, 1);
  link.cut();
  link.cut();
  link.heal();
  EXPECT_EQ(link.next(kBytes, 0, true).copies, 0);
  link.heal();
  link.heal();
  EXPECT_EQ(link.next(kBytes, 0, true).copies, 1);
  EXPECT_EQ(link.counters().packets_cut, 1U);
}

}  // namespace
}  // namespace consistory
