// Raft's invariants (Ongaro and Ousterhout 2014, figure 3), checked after every step of every node
// over thousands of seeded schedules with loss, reordering, cuts and crashes.
#include "reference-store/raft.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <utility>

#include "reference-store/simulated_cluster.h"

namespace refstore {
namespace {

class Invariants {
 public:
  explicit Invariants(Cluster& cluster) : cluster_(cluster) {
    cluster.watch([this](Peer peer) { look(peer); });
  }

  const std::string& broken() const { return broken_; }
  std::size_t committed() const { return committed_.size(); }
  std::size_t leaders() const { return leaders_.size(); }

 private:
  void look(Peer peer) {
    if (!broken_.empty()) return;
    const auto& raft = dynamic_cast<const Raft&>(cluster_.node(peer));
    election_safety(peer, raft);
    log_matching(peer, raft);
    state_machine_safety(peer, raft);
    leader_completeness(peer, raft);
  }

  void fail(const std::string& what, Peer peer) {
    broken_ = what + " at node " + std::to_string(peer);
  }

  /// At most one leader of a term.
  void election_safety(Peer peer, const Raft& raft) {
    if (!raft.is_leader()) return;
    const auto [known, fresh] = leaders_.try_emplace(raft.term(), peer);
    if (!fresh && known->second != peer) fail("election safety", peer);
  }

  /// Entries of one index and term are the same in every log, with all before them.
  void log_matching(Peer peer, const Raft& raft) {
    const std::int64_t last_term = raft.last() > raft.base() ? raft.entry(raft.last()).term : 0;
    const std::array<std::int64_t, 3> ends = {raft.base(), raft.last(), last_term};
    if (std::exchange(ends_[peer], ends) == ends) return;  // nothing new in this log
    for (std::int64_t index = raft.base() + 1; index <= raft.last(); ++index) {
      const Raft::Entry& entry = raft.entry(index);
      const std::int64_t before = index - 1 > raft.base() ? raft.entry(index - 1).term : -1;
      const auto [known, fresh] = entries_.try_emplace({index, entry.term}, entry.command, before);
      if (fresh) continue;
      auto& [command, term_before] = known->second;
      if (command != entry.command) return fail("log matching: command", peer);
      if (before >= 0 && term_before >= 0 && before != term_before)
        return fail("log matching: what comes before", peer);
      if (term_before < 0) term_before = before;
    }
  }

  /// What one node holds committed at an index, no other node holds committed otherwise.
  void state_machine_safety(Peer peer, const Raft& raft) {
    std::int64_t& looked = looked_[peer];
    looked = std::min(looked, raft.commit());
    for (std::int64_t index = std::max(raft.base(), looked) + 1; index <= raft.commit(); ++index) {
      const auto [known, fresh] = committed_.try_emplace(index, raft.entry(index).term);
      if (!fresh && known->second != raft.entry(index).term)
        return fail("state machine safety", peer);
    }
    looked = raft.commit();
  }

  /// A leader's log has everything that was committed in earlier terms.
  void leader_completeness(Peer peer, const Raft& raft) {
    if (!raft.is_leader() || !complete_.insert({raft.term(), committed_.size()}).second) return;
    for (const auto& [index, term] : committed_) {
      if (term >= raft.term() || index <= raft.base()) continue;
      if (index > raft.last() || raft.entry(index).term != term)
        return fail("leader completeness", peer);
    }
  }

  Cluster& cluster_;
  std::string broken_;
  std::map<std::int64_t, Peer> leaders_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::pair<Json, std::int64_t>> entries_;
  std::map<std::int64_t, std::int64_t> committed_;  // term by index
  // What was looked at already.
  std::map<Peer, std::array<std::int64_t, 3>> ends_;
  std::map<Peer, std::int64_t> looked_;
  std::set<std::pair<std::int64_t, std::size_t>> complete_;
};

struct Schedule {
  std::string broken;
  std::size_t committed = 0;
  std::size_t leaders = 0;
};

Schedule play(std::uint64_t seed, const std::string& defect = {}) {
  Config config;
  config.nodes = seed % 3 == 0 ? 5 : 3;
  config.seed = seed;
  config.snapshot_every = 10;
  config.defect = defect;
  Cluster cluster(make_raft, config, seed);
  const Invariants invariants(cluster);
  std::mt19937_64 random(seed);
  const auto any = [&] {
    return static_cast<Peer>(random() % static_cast<std::uint64_t>(config.nodes)) + 1;
  };
  const double loss = static_cast<double>(random() % 20) / 100;
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < 2; ++k) cluster.request(any(), "append", "l", i);
    cluster.run(static_cast<int>(random() % 90), loss);
    if (random() % 6 == 0) cluster.crash(any());
    if (random() % 5 == 0) cluster.isolate(any());
    if (random() % 5 == 0) cluster.cut(any(), any());
    if (random() % 3 == 0) cluster.heal();
  }
  return {invariants.broken(), invariants.committed(), invariants.leaders()};
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSchedules = 500;  // an instrumented build is slow
#else
constexpr std::uint64_t kSchedules = 10'000;
#endif

TEST(Raft, InvariantsHoldOverTenThousandSchedules) {
  std::size_t committed = 0, leaders = 0;
  for (std::uint64_t seed = 1; seed <= kSchedules; ++seed) {
    const Schedule schedule = play(seed);
    ASSERT_EQ(schedule.broken, "") << "seed " << seed;
    committed += schedule.committed;
    leaders += schedule.leaders;
  }
  EXPECT_GT(committed, 5 * kSchedules);  // or the schedules let nothing happen
  EXPECT_GT(leaders, 2 * kSchedules);
}

/// The same schedules find each planted bug that breaks an invariant: the check can fail.
class RaftDefect : public testing::TestWithParam<std::string> {};

TEST_P(RaftDefect, BreaksAnInvariant) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    if (!play(seed, GetParam()).broken.empty()) return;
  }
  FAIL() << "no schedule finds it";
}

INSTANTIATE_TEST_SUITE_P(All, RaftDefect,
                         testing::Values("vote-not-durable", "vote-for-stale-log",
                                         "commit-without-majority", "append-without-check"));

TEST(Raft, ReadsThroughALeaderThatWasCutOffAreNeverStale) {
  for (const char* reads : {"log", "index", "lease"}) {
    Config config;
    config.reads = reads;
    Cluster cluster(make_raft, config, 7);
    cluster.settle();
    const Peer old = cluster.node(1).status()["leader"];
    cluster.request(old, "write", "x", 1);
    cluster.settle();
    cluster.isolate(old);
    cluster.settle();
    const Peer other = old % 3 + 1;
    const auto write = cluster.request(other, "write", "x", 2);
    cluster.settle();
    ASSERT_EQ(cluster.answer(write)->type, "ok") << reads;
    const auto stale = cluster.request(old, "read", "x");
    cluster.settle();
    const Response* answer = cluster.answer(stale);
    EXPECT_TRUE(answer == nullptr || answer->type != "ok") << reads;
  }
}

TEST(Raft, ALogThatEndsInEntriesOfALostLeaderIsRepaired) {
  Cluster cluster(make_raft, {}, 7);
  cluster.settle();
  const Peer old = cluster.node(1).status()["leader"];
  const Peer other = old % 3 + 1;
  cluster.isolate(old);
  for (int i = 0; i < 3; ++i) cluster.request(old, "append", "l", i);
  cluster.settle();
  for (int i = 10; i < 30; ++i) {
    cluster.request(other, "append", "l", i);
    cluster.run(40, 0);
  }
  cluster.heal();
  cluster.run(8000, 0);  // bounded: refusals that beget refusals would keep the wire full
  EXPECT_EQ(cluster.dump(old), cluster.dump(other));
  EXPECT_EQ(cluster.dump(old)["l"].size(), 20U);
}

TEST(Raft, ASnapshotDoesNotTakeBackWhatWasAcknowledged) {
  Config config;
  config.self = 2;
  Raft follower(config);
  Json entries = Json::array();
  for (int i = 1; i <= 10; ++i)
    entries.push_back(Json::array({1, Json::array({"append", "l", i, nullptr})}));
  Output out;
  follower.on_message(1,
                      {{"t", "append"},
                       {"term", 1},
                       {"prev", 0},
                       {"prev_term", 0},
                       {"entries", entries},
                       {"commit", 0},
                       {"round", 1}},
                      1000, out);
  ASSERT_EQ(out.sends.back().message["match"], 10);
  const Json state{{"l", Json::array({Json::array({1, 2, 3, 4, 5}), 5, true})}};
  const Json snapshot{{"state", state}, {"index", 5}, {"term_at", 1}};
  follower.on_message(1, {{"t", "install"}, {"term", 1}, {"round", 2}, {"snapshot", snapshot}},
                      1000, out);
  EXPECT_EQ(follower.last(), 10);
  EXPECT_EQ(follower.commit(), 5);
  EXPECT_EQ(follower.dump()["l"].size(), 5U);
}

TEST(Raft, AFollowerThatMissedASnapshotGetsIt) {
  Config config;
  config.snapshot_every = 10;
  Cluster cluster(make_raft, config, 3);
  cluster.settle();
  cluster.isolate(3);
  cluster.settle();
  for (int i = 0; i < 60; ++i) {
    cluster.request(1, "append", "l", i);
    cluster.run(20, 0);
  }
  cluster.heal();
  cluster.settle();
  EXPECT_EQ(cluster.dump(3), cluster.dump(1));
  EXPECT_GT(dynamic_cast<const Raft&>(cluster.node(3)).base(), 0);
  cluster.crash(3);
  cluster.settle();
  EXPECT_EQ(cluster.dump(3), cluster.dump(1));
}

}  // namespace
}  // namespace refstore
