// Faults against controls in memory: what they strike, what counts as evidence, that they heal.
#include "nemesis/nemesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace consistory {
namespace {

class FakeWorld final : public ProcessControl, public LinkControl, public ClockControl {
 public:
  Result<std::string> kill(Place node) override {
    down.insert(node);
    return std::string("killed by signal 9");
  }
  Status ensure_running(Place node) override {
    if (broken) return store_error("node does not come back");
    down.erase(node);
    return Done{};
  }
  Result<std::string> pause(Place node) override {
    paused.insert(node);
    return std::string("T (stopped)");
  }
  Status resume(Place node) override {
    paused.erase(node);
    return Done{};
  }
  std::optional<Place> leader() override { return Place{2}; }
  void cut(Place from, Place to) override { cuts.insert({from, to}); }
  void heal(Place from, Place to) override { cuts.erase({from, to}); }
  LinkCounters counters(Place from, Place to) const override {
    const bool tried = traffic && cuts.contains({from, to});
    LinkCounters counters;
    counters.bytes_held = tried ? 100 : 0;
    counters.lost = traffic && imposed.contains({from, to}) ? 7 : 0;
    return counters;
  }
  bool shapes() const override { return shaped; }
  void impose(Place from, Place to, const LinkQuality& quality) override {
    imposed[{from, to}] = quality;
  }
  void lift(Place from, Place to, const LinkQuality&) override { imposed.erase({from, to}); }
  bool carries_clients() const override { return true; }
  Status set_offset(Place node, Nanos offset) override {
    offsets[node] = offset;
    return Done{};
  }
  std::optional<Nanos> offset(Place node) const override {
    const auto found = offsets.find(node);
    if (!traffic || found == offsets.end()) return std::nullopt;
    return found->second;
  }

  Controls controls() { return {this, this, this, {"clients", "n1", "n2", "n3"}}; }
  bool untouched() const {
    const bool on_time = std::all_of(offsets.begin(), offsets.end(),
                                     [](const auto& entry) { return entry.second == 0; });
    return down.empty() && paused.empty() && cuts.empty() && imposed.empty() && on_time;
  }

  std::set<Place> down, paused;
  std::set<std::pair<Place, Place>> cuts;
  std::map<std::pair<Place, Place>, LinkQuality> imposed;
  std::map<Place, Nanos> offsets;
  bool shaped = true;
  bool traffic = true;
  bool broken = false;
};

FaultSpec spec(std::string_view text) { return *parse_fault(text); }

TEST(ParseFault, SuggestsNearNames) {
  EXPECT_THAT(parse_fault("partitoin").error().message,
              testing::HasSubstr("did you mean \"partition\"?"));
  EXPECT_THAT(parse_fault("partition:halvs").error().message,
              testing::HasSubstr("did you mean \"halves\"?"));
}

TEST(Partition, HalvesCutEveryLinkBetweenTheGroupsBothWays) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_partition("halves", random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.cuts.size(), 4U);
  for (const auto& [from, to] : world.cuts) EXPECT_TRUE(world.cuts.contains({to, from}));
  EXPECT_THAT(fault->evidence(controls), testing::HasSubstr("100 bytes held"));
  ASSERT_TRUE(fault->heal(controls));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Partition, ABridgeHearsBothGroups) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_partition("bridge", random);
  ASSERT_TRUE(fault->inject(controls, random));
  ASSERT_EQ(world.cuts.size(), 2U);  // of three nodes: between the two that are no bridge
  const auto [from, to] = *world.cuts.begin();
  EXPECT_TRUE(world.cuts.contains({to, from}));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Partition, InARingEachHearsAMajorityAndNoTwoTheSame) {
  FakeWorld world;
  Controls controls = world.controls();
  controls.node_names.insert(controls.node_names.end(), {"n4", "n5"});
  Random random(1);
  const auto fault = make_partition("ring", random);
  ASSERT_TRUE(fault->inject(controls, random));
  std::set<std::set<Place>> heard;
  for (Place hearer = 1; hearer <= 5; ++hearer) {
    std::set<Place> those = {hearer};
    for (Place other = 1; other <= 5; ++other) {
      if (other != hearer && !world.cuts.contains({other, hearer})) those.insert(other);
    }
    EXPECT_EQ(those.size(), 3U);
    heard.insert(those);
  }
  EXPECT_EQ(heard.size(), 5U);
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Link, StrikesEveryLinkBetweenNodesAndHeals) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_link("loss", random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.imposed.size(), 6U);
  for (const auto& [link, quality] : world.imposed) EXPECT_GT(quality.loss, 0.04);
  EXPECT_EQ(fault->evidence(controls), "42 packets struck");
  world.traffic = false;
  ASSERT_TRUE(fault->heal(controls));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Link, IsRefusedWhereLinksCanOnlyBeCut) {
  FakeWorld world;
  world.shaped = false;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_link("", random);
  const Result<std::string> what = fault->inject(controls, random);
  ASSERT_FALSE(what);
  EXPECT_EQ(what.error().kind, ErrorKind::environment);
  EXPECT_THAT(what.error().message, testing::HasSubstr("--ground sandbox"));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Leader, IsKilledAndIsolatedWhoeverTheStoreNames) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto kill = make_kill("leader", random);
  ASSERT_TRUE(kill->inject(controls, random));
  EXPECT_EQ(world.down, std::set<Place>{2});
  const auto partition = make_partition("leader", random);
  const Result<std::string> what = partition->inject(controls, random);
  ASSERT_TRUE(what);
  EXPECT_EQ(*what, "n2 | n1 n3");
}

TEST(Clock, SkewMovesEveryNodeAndIsConfirmedByWhatTheNodesRead) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_clock("skew", random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.offsets.size(), 3U);
  for (const auto& [node, offset] : world.offsets) EXPECT_NE(offset, 0);
  EXPECT_THAT(fault->evidence(controls), testing::HasSubstr("n3 reads"));
  world.offsets[2] += kMillisecond;
  EXPECT_EQ(fault->evidence(controls), "");
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Partition, OneWayCutsOneDirectionOnly) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_partition("one-way", random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.cuts.size(), 2U);
  for (const auto& [from, to] : world.cuts) EXPECT_FALSE(world.cuts.contains({to, from}));
}

TEST(Schedule, StrikesEachKindTwiceInFifteenSeconds) {
  const std::vector<FaultSpec> specs = {spec("partition"), spec("kill"), spec("pause")};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::map<std::string, int> count;
    for (const PlannedFault& planned : plan_faults(specs, {15 * kSecond, 0, 0}, Random(seed))) {
      ++count[planned.spec.name()];
      EXPECT_LE(planned.at + planned.span, 15 * kSecond - kSecond);
      EXPECT_GT(planned.span, kSecond);  // longer than the default time-out of an operation
    }
    EXPECT_THAT(count, testing::Each(testing::Pair(testing::_, testing::Ge(2)))) << "seed " << seed;
    EXPECT_EQ(count.size(), 3U);
  }
}

std::vector<FaultEvent> run_to_end(FakeWorld& world, std::string_view fault, Nanos span) {
  std::vector<FaultEvent> events;
  Nemesis nemesis({{spec(fault), 0, span}}, world.controls(), Random(1),
                  [&](const FaultEvent& event) { events.push_back(event); });
  nemesis.start();
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  while (!nemesis.finished() && monotonic_now() < deadline) pause_for(kMillisecond);
  (void)nemesis.stop();
  return events;
}

TEST(Nemesis, ReportsRequestedConfirmedHealed) {
  FakeWorld world;
  const auto events = run_to_end(world, "kill:one", kMillisecond);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].state, FaultState::confirmed);
  EXPECT_THAT(events[1].evidence, testing::HasSubstr("killed by signal 9"));
  EXPECT_EQ(events[2].state, FaultState::healed);
  EXPECT_TRUE(world.untouched());
}

TEST(Nemesis, AFaultThatNothingRanIntoIsUnconfirmed) {
  FakeWorld world;
  world.traffic = false;
  const auto events = run_to_end(world, "partition:one", 30 * kMillisecond);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].state, FaultState::unconfirmed);
  EXPECT_TRUE(world.untouched());
}

TEST(Nemesis, StopHealsInTheMiddleOfAFault) {
  FakeWorld world;
  std::atomic<bool> struck = false;
  Nemesis nemesis(
      {{spec("pause:all"), 0, 3600 * kSecond}}, world.controls(), Random(1),
      [&](const FaultEvent& event) { struck = struck || event.state == FaultState::confirmed; });
  nemesis.start();
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  while (!struck && monotonic_now() < deadline) pause_for(kMillisecond);
  EXPECT_TRUE(struck);
  EXPECT_TRUE(nemesis.stop());
  EXPECT_TRUE(world.untouched());
}

TEST(Nemesis, ANodeThatDoesNotComeBackIsAnError) {
  FakeWorld world;
  world.broken = true;
  Nemesis nemesis({{spec("kill"), 0, kMillisecond}}, world.controls(), Random(1),
                  [](const FaultEvent&) {});
  nemesis.start();
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  while (!nemesis.finished() && monotonic_now() < deadline) pause_for(kMillisecond);
  EXPECT_FALSE(nemesis.stop());
}

}  // namespace
}  // namespace consistory
