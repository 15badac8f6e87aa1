// What each protocol does and refuses, and that replicas agree in the end, under a simulated
// network.
#include "reference-store/protocol.h"

#include "reference-store/sessions.h"
#include "reference-store/sharded.h"
#include "reference-store/simulated_cluster.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace refstore {
namespace {

void expect_agreement(const Cluster& cluster) {
  for (Peer peer = 2; peer <= 3; ++peer) {
    EXPECT_EQ(cluster.dump(1), cluster.dump(peer));
    EXPECT_EQ(cluster.position(1), cluster.position(peer));
  }
}

TEST(Primary, ShipsItsLogAndAnswersWhenAllHoldIt) {
  Cluster cluster(make_primary, {}, 1);
  cluster.settle();
  const auto write = cluster.request(2, "write", "x", 7);
  EXPECT_EQ(cluster.answer(write), nullptr);
  cluster.settle();
  ASSERT_NE(cluster.answer(write), nullptr);
  EXPECT_EQ(cluster.answer(write)->type, "ok");
  EXPECT_EQ(cluster.dump(3)["x"], 7);
}

TEST(Primary, AWriteThatReplicasDoNotAcknowledgeIsUnknownAndStays) {
  Cluster cluster(make_primary, {}, 1);
  cluster.settle();
  cluster.cut(1, 3);
  const auto write = cluster.request(1, "write", "x", 7);
  cluster.settle();
  ASSERT_NE(cluster.answer(write), nullptr);
  EXPECT_EQ(cluster.answer(write)->type, "info");
  cluster.heal();
  cluster.settle();
  EXPECT_EQ(cluster.dump(3)["x"], 7);
}

TEST(Primary, AReplicaThatStartsAgainKeepsItsLog) {
  Cluster cluster(make_primary, {}, 1);
  cluster.settle();
  for (int i = 1; i <= 20; ++i) cluster.request(1, "write", "x", i);
  cluster.settle();
  cluster.crash(2);
  cluster.request(1, "write", "y", 1);
  for (int i = 0; i < 200; ++i) {
    cluster.run(1, 0);
    ASSERT_EQ(cluster.dump(2)["x"], 20) << "an acknowledged update vanished, step " << i;
  }
  cluster.settle();
  EXPECT_EQ(cluster.dump(2)["y"], 1);
}

TEST(Primary, ALostBatchIsSentAgainWhileWritesKeepComing) {
  Config config;
  config.propagation = "async";
  Cluster cluster(make_primary, config, 1);
  cluster.settle();
  cluster.cut(1, 2);
  cluster.request(1, "write", "x", 1);
  cluster.run(8, 0);
  cluster.heal();
  for (int i = 0; i < 50 && !cluster.dump(2).contains("x"); ++i) {
    cluster.request(1, "write", "y", i);
    cluster.run(8, 0);  // 40 ms: never a silence as long as a resend waits for
  }
  EXPECT_EQ(cluster.dump(2).value("x", Json()), 1);
}

TEST(Primary, ListsAndSwaps) {
  Cluster cluster(make_primary, {}, 1);
  cluster.settle();
  cluster.request(1, "append", "l", 1);
  cluster.settle();
  cluster.request(3, "append", "l", 2);
  cluster.settle();
  EXPECT_EQ(cluster.dump(2)["l"], Json::array({1, 2}));
  const auto clash = cluster.request(1, "write", "l", 3);
  EXPECT_EQ(cluster.answer(clash)->error, "wrong-type");
}

TEST(Quorum, RefusesWhatItCannotGive) {
  Cluster cluster(make_quorum, {}, 1);
  EXPECT_EQ(cluster.answer(cluster.request(1, "append", "l", 1))->error, "unsupported");
}

TEST(Quorum, ReadsSeeAcknowledgedWrites) {
  Cluster cluster(make_quorum, {}, 1);
  const auto write = cluster.request(1, "write", "x", 7);
  cluster.cut(1, 3);
  cluster.run(100, 0);
  ASSERT_NE(cluster.answer(write), nullptr);
  const auto read = cluster.request(3, "read", "x");
  cluster.run(100, 0);
  ASSERT_NE(cluster.answer(read), nullptr);
  EXPECT_EQ(cluster.answer(read)->value, 7);
  EXPECT_EQ(cluster.answer(read)->ver, cluster.answer(write)->ver);
}

TEST(Quorum, WithoutAQuorumNothingIsStoredAndItIsADefiniteFailure) {
  Cluster cluster(make_quorum, {}, 1);
  cluster.cut(2, 1);
  cluster.cut(3, 1);
  const auto write = cluster.request(1, "write", "x", 7);
  cluster.settle();
  ASSERT_NE(cluster.answer(write), nullptr);
  EXPECT_EQ(cluster.answer(write)->type, "fail");
  EXPECT_EQ(cluster.dump(1).value("x", Json()), Json());
}

/// Over seeded schedules with loss: how many reads return less than a read that ended before they
/// began, of a key to which one client writes 1, 2, 3, …
int inversions(bool write_back) {
  int count = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Config config;
    config.read_write_back = write_back;
    config.seed = seed;
    Cluster cluster(make_quorum, config, seed);
    std::mt19937_64 random(seed);
    int seen = 0;
    for (int i = 1; i <= 30; ++i) {
      cluster.request(1, "write", "x", i);
      cluster.run(static_cast<int>(random() % 12), 0.3);
      const auto read = cluster.request(static_cast<Peer>(random() % 3 + 1), "read", "x");
      for (int step = 0; step < 400 && cluster.answer(read) == nullptr; ++step) cluster.run(1, 0.1);
      const Response* answer = cluster.answer(read);
      if (answer == nullptr || !answer->value.is_number()) continue;
      count += answer->value.get<int>() < seen ? 1 : 0;
      seen = std::max(seen, answer->value.get<int>());
    }
  }
  return count;
}

TEST(Quorum, OnlyReadsThatWriteBackAreNeverFollowedByOlderOnes) {
  EXPECT_EQ(inversions(true), 0);
  EXPECT_GT(inversions(false), 0);
}

TEST(LocalWrites, PrimaryshipFollowsTheWriter) {
  Cluster cluster(make_local_writes, {}, 1);
  cluster.settle();
  for (int i = 1; i <= 6; ++i) {
    const auto write = cluster.request(i % 3 + 1, "append", "l", i);
    cluster.settle();
    ASSERT_NE(cluster.answer(write), nullptr) << i;
    EXPECT_EQ(cluster.answer(write)->type, "ok") << cluster.answer(write)->error;
  }
  EXPECT_EQ(cluster.dump(1)["l"], Json::array({1, 2, 3, 4, 5, 6}));
  expect_agreement(cluster);
}

TEST(LocalWrites, AHolderThatIsCutOffGoesOnAndTheOthersCatchUp) {
  Config config;
  config.propagation = "async";
  Cluster cluster(make_local_writes, config, 1);
  const auto ahead = cluster.request(2, "acquire", "x");
  cluster.settle();
  EXPECT_EQ(cluster.answer(ahead)->type, "ok");
  cluster.isolate(2);
  for (int i = 1; i <= 10; ++i) {
    const auto write = cluster.request(2, "write", "x", i);
    ASSERT_NE(cluster.answer(write), nullptr);
    EXPECT_EQ(cluster.answer(write)->type, "ok");
    cluster.run(200, 0);  // a second
  }
  const auto refused = cluster.request(1, "write", "x", 99);
  const auto served = cluster.request(3, "read", "x");
  EXPECT_EQ(cluster.answer(served)->type, "ok");
  cluster.settle();
  EXPECT_EQ(cluster.answer(refused)->error, "primary-unreachable");
  EXPECT_EQ(cluster.dump(1).value("x", Json()), Json());
  cluster.heal();
  cluster.settle();
  expect_agreement(cluster);
  EXPECT_EQ(cluster.dump(3)["x"], 10);
}

TEST(LocalWrites, WithSyncPropagationAHolderThatIsCutOffRefuses) {
  Cluster cluster(make_local_writes, {}, 1);
  cluster.settle();
  cluster.request(2, "acquire", "x");
  cluster.settle();
  cluster.isolate(2);
  cluster.settle();
  const auto write = cluster.request(2, "write", "x", 1);
  ASSERT_NE(cluster.answer(write), nullptr);
  EXPECT_EQ(cluster.answer(write)->error, "peers-unreachable");
}

TEST(LocalWrites, AGrantThatIsLostIsSentAgain) {
  Cluster cluster(make_local_writes, {}, 5);
  cluster.settle();
  cluster.request(1, "write", "x", 1);
  cluster.settle();
  cluster.cut(1, 2);
  cluster.request(2, "write", "x", 2);  // the grant of node 1 does not arrive
  cluster.run(20, 0);
  cluster.crash(2);
  cluster.crash(1);
  cluster.heal();
  const auto write = cluster.request(3, "write", "x", 3);
  cluster.settle();
  ASSERT_NE(cluster.answer(write), nullptr);
  EXPECT_EQ(cluster.answer(write)->type, "ok") << cluster.answer(write)->error;
}

Maker eventual_with(const std::string& session) {
  return [session](const Config& config) {
    Config own = config;
    own.session = session;
    return make_sessions(own, make_eventual(own));
  };
}

TEST(Sessions, AReadWaitsForWhatTheSessionWroteOrIsRefused) {
  Cluster cluster(eventual_with("ryw"), {}, 1);
  const auto write = cluster.request(1, "write", "x", 7);
  const Json token = cluster.answer(write)->token;
  const auto without = cluster.request(2, "read", "x");
  EXPECT_EQ(cluster.answer(without)->value, Json());
  const auto waits = cluster.request(2, "read", "x", nullptr, token);
  EXPECT_EQ(cluster.answer(waits), nullptr);
  for (int i = 0; i < 200 && cluster.answer(waits) == nullptr; ++i) cluster.run(4, 0);
  ASSERT_NE(cluster.answer(waits), nullptr);
  EXPECT_EQ(cluster.answer(waits)->value, 7);
  cluster.isolate(3);
  const auto next = cluster.request(1, "write", "x", 8);
  const auto refused = cluster.request(3, "read", "x", nullptr, cluster.answer(next)->token);
  cluster.settle();
  ASSERT_NE(cluster.answer(refused), nullptr);
  EXPECT_EQ(cluster.answer(refused)->error, "behind");
}

TEST(Sessions, ATokenThatIsNoneIsRefused) {
  Cluster cluster(eventual_with("mr"), {}, 1);
  EXPECT_THROW(cluster.request(1, "read", "x", nullptr, Json{{"r", {{"1.1", "many"}}}}),
               Json::exception);
}

TEST(Eventual, AppendsOfTwoNodesMerge) {
  Cluster cluster(make_eventual, {}, 1);
  cluster.request(1, "append", "l", 1);
  cluster.request(2, "append", "l", 2);
  cluster.settle();
  EXPECT_EQ(cluster.dump(3)["l"], Json::array({1, 2}));
  expect_agreement(cluster);
}

/// What a node of three sends to node 3 when it serves a write.
Json sent_to_third(Protocol& node, std::uint64_t id, const std::string& key) {
  Output out;
  node.on_request({id, "write", key, 1, nullptr, false, nullptr, {}}, 1000, out);
  for (const Output::Send& send : out.sends) {
    if (send.to == 3) return send.message;
  }
  return nullptr;
}

TEST(Causal, AnUpdateWaitsForWhatItDependsOn) {
  std::map<Peer, std::unique_ptr<Protocol>> nodes;
  for (Peer peer = 1; peer <= 3; ++peer) {
    Config config;
    config.self = peer;
    nodes[peer] = make_causal(config);
  }
  Output ignored;
  const Json question = sent_to_third(*nodes[1], 1, "question");
  nodes[2]->on_message(1, question, 1000, ignored);
  const Json answer = sent_to_third(*nodes[2], 2, "answer");
  nodes[3]->on_message(2, answer, 1000, ignored);
  EXPECT_EQ(nodes[3]->dump(), Json::object());
  EXPECT_EQ(nodes[3]->status()["pending"], 1);
  nodes[3]->on_message(1, question, 1000, ignored);
  EXPECT_EQ(nodes[3]->dump().size(), 2U);
  EXPECT_EQ(nodes[3]->status()["pending"], 0);
}

/// Whoever sees an answer sees its question, whatever is lost, late or restarted.
TEST(Causal, NoNodeEverShowsAnEffectWithoutItsCause) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Config config;
    config.conflicts = seed % 2 == 0 ? "converge" : "arrival";
    Cluster cluster(make_causal, config, seed);
    std::mt19937_64 random(seed);
    for (int i = 1; i <= 25; ++i) {
      const auto peer = static_cast<Peer>(random() % 3 + 1);
      const Json question = cluster.dump(peer).value("question", Json(0));
      if (random() % 2 == 0) cluster.request(peer, "write", "question", i);
      else cluster.request(peer, "write", "answer-" + std::to_string(i), question);
      cluster.run(static_cast<int>(random() % 12), 0.2);
      if (random() % 9 == 0) cluster.crash(static_cast<Peer>(random() % 3 + 1));
      for (Peer reader = 1; reader <= 3; ++reader) {
        const Json copy = cluster.dump(reader);
        for (const auto& [key, value] : copy.items()) {
          const bool needs_it = key.starts_with("answer") && value != 0;
          ASSERT_TRUE(!needs_it || copy.contains("question")) << "seed " << seed;
        }
      }
    }
  }
}

TEST(Causal, AClientThatHasSeenMoreWaitsOrIsRefused) {
  Cluster cluster(make_causal, {}, 1);
  cluster.cut(1, 2);
  cluster.cut(3, 2);  // which would bring it, too
  const auto write = cluster.request(1, "write", "x", 7);
  const Json token = cluster.answer(write)->token;
  const auto waits = cluster.request(2, "read", "x", nullptr, token);
  cluster.run(40, 0);
  EXPECT_EQ(cluster.answer(waits), nullptr);
  cluster.settle();
  ASSERT_NE(cluster.answer(waits), nullptr);
  EXPECT_EQ(cluster.answer(waits)->error, "behind");
  const auto refused = cluster.request(2, "write", "x", 8, Json{{"1.1", 99}});
  cluster.settle();
  ASSERT_NE(cluster.answer(refused), nullptr);
  EXPECT_EQ(cluster.answer(refused)->error, "behind");
  cluster.heal();
  cluster.settle();
  const auto served = cluster.request(2, "read", "x", nullptr, token);
  ASSERT_NE(cluster.answer(served), nullptr);
  EXPECT_EQ(cluster.answer(served)->value, 7);
}

TEST(Causal, OrderOfArrivalDoesNotConverge) {
  Config config;
  config.conflicts = "arrival";
  Cluster cluster(make_causal, config, 1);
  cluster.request(1, "write", "x", 1);
  cluster.request(2, "write", "x", 2);
  cluster.settle();
  EXPECT_EQ(cluster.dump(1)["x"], 2);
  EXPECT_EQ(cluster.dump(2)["x"], 1);
}

/// Every protocol: under loss, reordering and crashes, replicas agree in the end and hold every
/// acknowledged update of a key that was written once.
class Chaos : public testing::TestWithParam<std::pair<std::string, Maker>> {};

TEST_P(Chaos, ReplicasConvergeAndKeepAcknowledgedUpdates) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Config config;
    config.seed = seed;
    Cluster cluster(GetParam().second, config, seed);
    std::mt19937_64 random(seed);
    std::map<std::string, std::uint64_t> writes;
    for (int i = 0; i < 40; ++i) {
      const std::string key = "k" + std::to_string(i);
      writes[key] = cluster.request(static_cast<Peer>(random() % 3 + 1), "write", key, i);
      cluster.run(static_cast<int>(random() % 60), 0.1);
      if (random() % 8 == 0) cluster.crash(static_cast<Peer>(random() % 3 + 1));
    }
    cluster.settle();
    expect_agreement(cluster);
    int acknowledged = 0;
    for (const auto& [key, id] : writes) {
      if (cluster.answer(id) == nullptr || cluster.answer(id)->type != "ok") continue;
      ++acknowledged;
      EXPECT_FALSE(cluster.dump(1).value(key, Json()).is_null()) << key << " lost, seed " << seed;
    }
    EXPECT_GT(acknowledged, 0) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, Chaos,
                         testing::Values(std::pair<std::string, Maker>{"primary", make_primary},
                                         std::pair<std::string, Maker>{"quorum", make_quorum},
                                         std::pair<std::string, Maker>{"eventual", make_eventual},
                                         std::pair<std::string, Maker>{"causal", make_causal},
                                         std::pair<std::string, Maker>{"local", make_local_writes},
                                         std::pair<std::string, Maker>{"perkey",
                                                                       make_per_key_primaries},
                                         std::pair<std::string, Maker>{"raft", make_raft}),
                         [](const auto& row) { return row.param.first; });

}  // namespace
}  // namespace refstore
