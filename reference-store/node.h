#pragma once
// Node: the shell around a protocol. It owns the log, the links to the peers, the clock and the
// pending client requests, and keeps the durability rule: outputs wait in order until the log is
// synced, once for all that came in meanwhile (group commit). Runs on one thread.

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "reference-store/durable_log.h"
#include "reference-store/net.h"
#include "reference-store/peer_link.h"
#include "reference-store/protocol.h"
#include "reference-store/wall_clock.h"

namespace refstore {

class Node {
 public:
  using Answer = std::function<void(const Response&)>;

  Node(asio::io_context& context, const Config& config, std::unique_ptr<Protocol> protocol,
       DurableLog& log, WallClock clock, const std::map<Peer, tcp::endpoint>& peers);

  void start();
  /// Flushes the log; call once, at an orderly stop.
  void stop();

  /// `answer` is called once, from the loop: with the protocol's reply or a time-out.
  void request(Request request, Answer answer);
  /// A batch from a peer, which is trusted no more than the network: a message that is malformed
  /// is dropped from where it is; a batch that is none throws Json::exception.
  void receive(const Json& batch);
  Json status() const;
  Json dump() const { return protocol_->dump(); }

 private:
  struct Pending {
    Answer answer;
    Millis deadline;
  };

  Time now() const;
  void persist(const Output& out);
  void tick();
  void release(Output out);
  void deliver(Output& out);
  void schedule_sync();
  void expire();

  asio::io_context& context_;
  Config config_;
  std::unique_ptr<Protocol> protocol_;
  DurableLog& log_;
  WallClock clock_;
  std::map<Peer, std::unique_ptr<PeerLink>> links_;
  asio::steady_timer timer_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t next_id_;
  std::deque<Output> held_;
  bool sync_scheduled_ = false;
  Millis synced_at_ = 0;
};

}  // namespace refstore
