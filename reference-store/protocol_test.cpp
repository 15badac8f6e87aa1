// The protocols under a seeded simulated network: loss, reordering, crashes that lose what was not
// made durable, and a virtual clock. No sockets, no waiting.
#include "reference-store/protocol.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

namespace refstore {
namespace {

using Maker = std::function<std::unique_ptr<Protocol>(const Config&)>;

class Cluster {
 public:
  Cluster(Maker make, Config config, std::uint64_t seed)
      : make_(std::move(make)), config_(config), random_(seed) {
    for (Peer peer = 1; peer <= config.nodes; ++peer) start(peer);
  }

  /// A crash keeps the durable records only; what was sent stays on its way.
  void crash(Peer peer) { start(peer); }

  std::uint64_t request(Peer peer, const std::string& f, const std::string& key,
                        Json value = nullptr) {
    const std::uint64_t id = (incarnation_[peer] << 32) + ++requests_;
    Output out;
    nodes_[peer]->on_request({id, f, key, std::move(value), nullptr, false}, now_, out);
    take(peer, out);
    return id;
  }
  /// The answer, or nothing yet.
  const Response* answer(std::uint64_t id) const {
    const auto found = answers_.find(id);
    return found == answers_.end() ? nullptr : &found->second;
  }

  /// Delivers messages in random order, loses some, and lets time pass.
  void run(int steps, double loss) {
    for (int i = 0; i < steps; ++i) {
      if (!wire_.empty()) deliver(loss);
      if (i % 4 == 0) tick();
    }
  }
  void settle() {
    for (int i = 0; i < 400; ++i) {
      while (!wire_.empty()) deliver(0);
      tick();
    }
  }

  Json dump(Peer peer) const { return nodes_.at(peer)->dump(); }
  std::string position(Peer peer) const { return nodes_.at(peer)->status()["position"]; }
  void cut(Peer from, Peer to) { cuts_[{from, to}] = true; }
  void heal() { cuts_.clear(); }

 private:
  struct Wire {
    Peer from, to;
    Json message;
  };

  void start(Peer peer) {
    Config config = config_;
    config.self = peer;
    config.incarnation = ++incarnation_[peer];
    nodes_[peer] = make_(config);
    for (const Json& record : disks_[peer]) nodes_[peer]->recover(record);
  }
  void take(Peer peer, Output& out) {
    for (Json& record : out.records) disks_[peer].push_back(std::move(record));
    for (auto& send : out.sends) wire_.push_back({peer, send.to, std::move(send.message)});
    for (auto& reply : out.replies) answers_.emplace(reply.id, reply.response);
  }
  void deliver(double loss) {
    const std::size_t pick = random_() % wire_.size();
    const Wire wire = std::move(wire_[pick]);
    wire_.erase(wire_.begin() + static_cast<std::ptrdiff_t>(pick));
    const bool lost = static_cast<double>(random_() % 1000) < loss * 1000;
    if (lost || cuts_.contains({wire.from, wire.to})) return;
    Output out;
    nodes_[wire.to]->on_message(wire.from, wire.message, now_, out);
    take(wire.to, out);
  }
  void tick() {
    now_ += 20;
    for (auto& [peer, node] : nodes_) {
      Output out;
      node->on_tick(now_, out);
      take(peer, out);
      if (peer == 1) continue;
      Output beat;  // the shell's heartbeat
      node->on_message(1, {{"t", "heartbeat"}}, now_, beat);
    }
  }

  Maker make_;
  Config config_;
  std::mt19937_64 random_;
  std::map<Peer, std::unique_ptr<Protocol>> nodes_;
  std::map<Peer, std::vector<Json>> disks_;
  std::map<Peer, std::uint64_t> incarnation_;
  std::vector<Wire> wire_;
  std::map<std::uint64_t, Response> answers_;
  std::map<std::pair<Peer, Peer>, bool> cuts_;
  std::uint64_t requests_ = 0;
  Millis now_ = 1000;
};

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

TEST(Eventual, AppendsOfTwoNodesMerge) {
  Cluster cluster(make_eventual, {}, 1);
  cluster.request(1, "append", "l", 1);
  cluster.request(2, "append", "l", 2);
  cluster.settle();
  EXPECT_EQ(cluster.dump(3)["l"], Json::array({1, 2}));
  expect_agreement(cluster);
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
                                         std::pair<std::string, Maker>{"eventual", make_eventual}),
                         [](const auto& row) { return row.param.first; });

}  // namespace
}  // namespace refstore
