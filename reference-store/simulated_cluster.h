#pragma once
// Nodes of one protocol under a seeded simulated network: loss, reordering, cuts, crashes that lose
// what was not made durable, and a virtual clock. No sockets, no waiting. For tests.

#include <functional>
#include <map>
#include <random>

#include "reference-store/protocol.h"

namespace refstore {

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
                        Json value = nullptr, Json token = nullptr) {
    const std::uint64_t id = (incarnation_[peer] << 32) + ++requests_;
    Output out;
    nodes_[peer]->on_request({id, f, key, std::move(value), nullptr, false, std::move(token), {}},
                             now_, out);
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

  Protocol& node(Peer peer) { return *nodes_.at(peer); }
  Millis now() const { return now_; }
  Json dump(Peer peer) const { return nodes_.at(peer)->dump(); }
  std::string position(Peer peer) const { return nodes_.at(peer)->status()["position"]; }
  void cut(Peer from, Peer to) { cuts_[{from, to}] = true; }
  /// Nothing passes between the node and the others.
  void isolate(Peer peer) {
    for (Peer other = 1; other <= config_.nodes; ++other) {
      cut(peer, other);
      cut(other, peer);
    }
  }
  void heal() { cuts_.clear(); }
  /// Called after every step of a node.
  void watch(std::function<void(Peer)> watcher) { watcher_ = std::move(watcher); }

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
    if (out.compacts) disks_[peer].clear();
    for (Json& record : out.records) disks_[peer].push_back(std::move(record));
    for (auto& send : out.sends) wire_.push_back({peer, send.to, std::move(send.message)});
    for (auto& reply : out.replies) answers_.emplace(reply.id, reply.response);
    if (watcher_) watcher_(peer);
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
      for (const auto& [other, beating] : nodes_) {
        if (other == peer || cuts_.contains({other, peer})) continue;
        Output beat;  // the shell's heartbeat
        node->on_message(other, {{"t", "heartbeat"}}, now_, beat);
        take(peer, beat);
      }
    }
  }

  Maker make_;
  std::function<void(Peer)> watcher_;
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

}  // namespace refstore
