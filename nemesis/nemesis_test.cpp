// Faults against controls in memory: what they strike, what counts as evidence, that they heal.
#include "nemesis/nemesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace consistory {
namespace {

class FakeWorld final : public ProcessControl,
                        public LinkControl,
                        public ClockControl,
                        public DiskControl {
 public:
  Result<std::string> kill(Place node) override {
    down.insert(node);
    return std::string("killed by signal 9");
  }
  Status ensure_running(const std::vector<Place>& nodes) override {
    if (broken) return store_error("node does not come back");
    for (const Place node : nodes) down.erase(node);
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
  Status cut(Place from, Place to) override {
    cuts.insert({from, to});
    return Done{};
  }
  Status heal(Place from, Place to) override {
    cuts.erase({from, to});
    return Done{};
  }
  LinkCounters counters(Place from, Place to) const override {
    const bool tried = traffic && cuts.contains({from, to});
    LinkCounters counters;
    counters.bytes_held = tried ? 100 : 0;
    if (traffic && !cuts.contains({from, to})) passed[{from, to}] += 10;  // whenever somebody looks
    counters.bytes_passed = passed[{from, to}];
    counters.lost = traffic && imposed.contains({from, to}) ? 7 : 0;
    return counters;
  }
  bool shapes() const override { return shaped; }
  Status impose(Place from, Place to, const LinkQuality& quality) override {
    imposed[{from, to}] = quality;
    return Done{};
  }
  Status lift(Place from, Place to, const LinkQuality&) override {
    imposed.erase({from, to});
    return Done{};
  }
  bool carries_clients() const override { return true; }
  void allow_end(Place node) override { excused.insert(node); }
  void forbid_end(Place node) override { excused.erase(node); }
  Status set_skew(Place node, const ClockSkew& skew) override {
    skews[node] = skew;
    ++clock_moves;
    return Done{};
  }
  std::optional<ClockReading> read_clocks(Place node) override {
    const auto found = skews.find(node);
    if (!traffic || found == skews.end()) return std::nullopt;
    return ClockReading{found->second.wall, found->second.monotonic};
  }
  void set_trouble(Place node, const DiskTrouble& trouble) override { troubles[node] = trouble; }
  DiskCounters counters(Place node) const override {
    const auto found = troubles.find(node);
    const bool struck = traffic && found != troubles.end();
    DiskCounters counters;
    counters.failed = struck && found->second.failing_write > 0 ? 1 : 0;
    counters.lied = struck && found->second.fsyncs_lie ? 4 : 0;
    return counters;
  }
  Result<std::string> lose_unsynced(Place node, bool torn) override {
    EXPECT_TRUE(down.contains(node)) << "power is cut of a node that runs";
    lost[node] = torn;
    return std::string("lost 7 bytes");
  }
  Result<std::string> flip_bit(Place node, Random&) override {
    EXPECT_TRUE(down.contains(node));
    return std::string("bit 1 flipped");
  }

  Controls controls() { return {this, this, this, this, {"clients", "n1", "n2", "n3"}}; }
  bool untouched() const {
    const bool on_time = std::all_of(skews.begin(), skews.end(),
                                     [](const auto& entry) { return entry.second.none(); });
    const bool well = std::all_of(troubles.begin(), troubles.end(), [](const auto& entry) {
      return entry.second.failing_write == 0 && !entry.second.fsyncs_lie;
    });
    return down.empty() && paused.empty() && cuts.empty() && imposed.empty() && on_time && well;
  }

  std::set<Place> down, paused, excused;
  std::set<std::pair<Place, Place>> cuts;
  mutable std::map<std::pair<Place, Place>, std::uint64_t> passed;
  std::map<std::pair<Place, Place>, LinkQuality> imposed;
  std::map<Place, ClockSkew> skews;
  std::map<Place, DiskTrouble> troubles;
  std::map<Place, bool> lost;
  int clock_moves = 0;
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

TEST(ParseFault, ReadsNamedNodesAndGroups) {
  EXPECT_EQ(spec("kill@n2+n3").nodes(), (std::vector<Place>{2, 3}));
  const FaultSpec groups = spec("partition@n1|n2+n3");
  EXPECT_EQ(groups.groups, (std::vector<std::vector<Place>>{{1}, {2, 3}}));
  EXPECT_EQ(groups.name(), "partition@n1|n2+n3");
  for (const char* bad :
       {"kill@", "kill@2", "kill@n0", "kill@n1+", "kill@n1,n2", "kill@n1+n1", "kill@n1|n2",
        "kill@n1>n2", "partition@n1||n2", "partition@n1>", "partition@n1>n2>n3",
        "partition@n1>n2|n3", "partition@n1|n2>n3", "kill@n99999999999999999999"})
    EXPECT_FALSE(parse_fault(bad)) << bad;
  EXPECT_TRUE(spec("link:delay@n1>n2+n3").one_way);
  EXPECT_EQ(spec("link:delay@n1>n2+n3").name(), "link:delay@n1>n2+n3");
}

TEST(Partition, HalvesCutEveryLinkBetweenTheGroupsBothWays) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_partition(spec("partition:halves"), random);
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
  const auto fault = make_partition(spec("partition:bridge"), random);
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
  const auto fault = make_partition(spec("partition:ring"), random);
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

TEST(Partition, NamedGroupsAreCutFromEachOther) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = spec("partition@n3|n1+n2").kind->make(spec("partition@n3|n1+n2"), random);
  const Result<std::string> what = fault->inject(controls, random);
  ASSERT_TRUE(what);
  EXPECT_EQ(*what, "n3 | n1 n2");
  EXPECT_EQ(world.cuts, (std::set<std::pair<Place, Place>>{{1, 3}, {2, 3}, {3, 1}, {3, 2}}));
}

TEST(Partition, OneDirectionCanBeNamed) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_partition(spec("partition@n1>n2+n3"), random);
  const Result<std::string> what = fault->inject(controls, random);
  ASSERT_TRUE(what);
  EXPECT_EQ(*what, "n1 not heard by n2 n3");
  EXPECT_EQ(world.cuts, (std::set<std::pair<Place, Place>>{{1, 2}, {1, 3}}));
}

TEST(Partition, ItsHealIsProvenByWhatTheLinksCarry) {
  for (const char* name : {"partition:halves", "partition:swizzle"}) {
    FakeWorld world;
    Controls controls = world.controls();
    Random random(1);
    const auto fault = make_partition(spec(name), random);
    ASSERT_TRUE(fault->inject(controls, random));
    world.traffic = false;
    ASSERT_TRUE(fault->heal(controls));
    EXPECT_EQ(*fault->recovery(controls), "") << name;
    world.traffic = true;
    EXPECT_THAT(*fault->recovery(controls), testing::HasSubstr("again")) << name;
  }
}

TEST(Partition, FlappingIsCutAndWholeInTurnsAndHealsEitherWay) {
  for (const int beats : {1, 2}) {
    FakeWorld world;
    Controls controls = world.controls();
    Random random(1);
    const auto fault = make_partition(spec("partition:flapping"), random);
    ASSERT_TRUE(fault->inject(controls, random));
    EXPECT_FALSE(world.cuts.empty());
    for (int i = 0; i < beats; ++i) ASSERT_TRUE(fault->beat(controls, random));
    EXPECT_EQ(world.cuts.empty(), beats % 2 == 1);
    ASSERT_TRUE(fault->heal(controls));
    EXPECT_TRUE(world.untouched());
  }
}

TEST(Swizzle, CutsNodesOneByOneAndJoinsThemAgain) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_swizzle(spec("partition:swizzle"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  const std::size_t one = world.cuts.size();
  EXPECT_EQ(one, 4U);
  ASSERT_TRUE(fault->beat(controls, random));
  EXPECT_GT(world.cuts.size(), one);
  EXPECT_THAT(fault->evidence(controls), testing::HasSubstr("2 nodes cut off"));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(fault->beat(controls, random));
  EXPECT_TRUE(world.untouched());
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Kill, AMajorityLeavesNone) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_kill(spec("kill:majority"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.down.size(), 2U);
}

TEST(Disk, APowerCutTakesWhatWasNotSyncedAndStartsAgain) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_disk(spec("disk:power-cut-all"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.lost.size(), 3U);
  EXPECT_THAT(fault->evidence(controls), testing::HasSubstr("lost 7 bytes"));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Disk, AFailedWriteExcusesTheNodeThatEnds) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_disk(spec("disk:write-error@n2"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.excused, std::set<Place>{2});
  EXPECT_EQ(fault->evidence(controls), "n2: 1 times");
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Disk, ALieEndsWithAPowerCut) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_disk(spec("disk:lying-fsync"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_EQ(world.lost.size(), 1U);
  EXPECT_TRUE(world.untouched());
}

TEST(Slow, StopsAndContinuesInTurns) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_slow(spec("slow:one"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.paused.size(), 1U);
  const Nanos stopped = fault->beat_every();
  ASSERT_TRUE(fault->beat(controls, random));
  EXPECT_TRUE(world.paused.empty());
  EXPECT_GT(stopped, fault->beat_every());
  ASSERT_TRUE(fault->beat(controls, random));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Link, StrikesEveryLinkBetweenNodesAndHeals) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_link(spec("link:loss"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.imposed.size(), 6U);
  for (const auto& [link, quality] : world.imposed) EXPECT_GT(quality.loss, 0.04);
  EXPECT_EQ(fault->evidence(controls), "42 packets struck");
  world.traffic = false;
  ASSERT_TRUE(fault->heal(controls));
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Link, StrikesThoseThatAreNamed) {
  const std::map<std::string, std::set<std::pair<Place, Place>>> links = {
      {"link:delay@n1", {{1, 2}, {1, 3}, {2, 1}, {3, 1}}},
      {"link:delay@n1>n2", {{1, 2}}},
      {"link:delay@n1|n2", {{1, 2}, {2, 1}}}};
  for (const auto& [name, struck] : links) {
    FakeWorld world;
    Controls controls = world.controls();
    Random random(1);
    const auto fault = make_link(spec(name), random);
    ASSERT_TRUE(fault->inject(controls, random));
    std::set<std::pair<Place, Place>> imposed;
    for (const auto& [link, quality] : world.imposed) imposed.insert(link);
    EXPECT_EQ(imposed, struck) << name;
    ASSERT_TRUE(fault->heal(controls));
    EXPECT_TRUE(world.untouched());
  }
}

TEST(Link, IsRefusedWhereLinksCanOnlyBeCut) {
  FakeWorld world;
  world.shaped = false;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_link(spec("link"), random);
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
  const auto kill = make_kill(spec("kill:leader"), random);
  ASSERT_TRUE(kill->inject(controls, random));
  EXPECT_EQ(world.down, std::set<Place>{2});
  const auto partition = make_partition(spec("partition:leader"), random);
  const Result<std::string> what = partition->inject(controls, random);
  ASSERT_TRUE(what);
  EXPECT_EQ(*what, "n2 | n1 n3");
}

TEST(Clock, SkewMovesEveryNodeAndIsConfirmedByWhatTheNodesRead) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_clock(spec("clock:skew"), random);
  ASSERT_TRUE(fault->inject(controls, random));
  EXPECT_EQ(world.skews.size(), 3U);
  for (const auto& [node, skew] : world.skews) EXPECT_NE(skew.wall, 0);
  EXPECT_THAT(fault->evidence(controls), testing::HasSubstr("n3 reads"));
  world.skews[2].wall = 0;
  EXPECT_EQ(fault->evidence(controls), "");
  ASSERT_TRUE(fault->heal(controls));
  EXPECT_TRUE(world.untouched());
}

TEST(Partition, OneWayCutsOneDirectionOnly) {
  FakeWorld world;
  Controls controls = world.controls();
  Random random(1);
  const auto fault = make_partition(spec("partition:one-way"), random);
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

TEST(Nemesis, TellsThatLinksCarryAgain) {
  FakeWorld world;
  const auto events = run_to_end(world, "partition:one", 30 * kMillisecond);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[2].state, FaultState::healed);
  EXPECT_EQ(events[3].state, FaultState::recovered);
  EXPECT_THAT(events[3].recovery, testing::HasSubstr("carries again"));
}

TEST(Nemesis, FaultsMayOverlap) {
  FakeWorld world;
  std::vector<std::string> events;
  Nemesis nemesis({{spec("pause@n1"), 0, 200 * kMillisecond},
                   {spec("kill@n2"), 50 * kMillisecond, 50 * kMillisecond}},
                  world.controls(), Random(1), [&](const FaultEvent& event) {
                    events.push_back(event.fault + " " + std::string(name_of(event.state)));
                  });
  nemesis.start();
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  while (!nemesis.finished() && monotonic_now() < deadline) pause_for(kMillisecond);
  EXPECT_TRUE(nemesis.stop());
  EXPECT_THAT(events,
              testing::ElementsAre("pause@n1 requested", "pause@n1 confirmed", "kill@n2 requested",
                                   "kill@n2 confirmed", "kill@n2 healed", "pause@n1 healed"));
  EXPECT_TRUE(world.untouched());
}

TEST(Nemesis, AStrobeBeatsUntilItIsHealed) {
  FakeWorld world;
  const auto events = run_to_end(world, "clock:strobe", 450 * kMillisecond);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].state, FaultState::confirmed);
  EXPECT_GE(world.clock_moves, 4);
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
