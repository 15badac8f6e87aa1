#include "reference-store/node.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace refstore {
namespace {
constexpr auto kTick = std::chrono::milliseconds(20);
/// The shell gives up a little after the protocol would, should the protocol never answer.
constexpr Millis kGrace = 200;
constexpr std::array<std::string_view, 6> kFunctions = {"read", "write",  "delete",
                                                        "cas",  "append", "acquire"};
constexpr Millis kSyncEvery = 100;  // with --fsync interval
bool is_function(const std::string& f) {
  return std::find(kFunctions.begin(), kFunctions.end(), f) != kFunctions.end();
}

}  // namespace

Node::Node(asio::io_context& context, const Config& config, std::unique_ptr<Protocol> protocol,
           DurableLog& log, WallClock clock, const std::map<Peer, tcp::endpoint>& peers)
    : context_(context),
      config_(config),
      protocol_(std::move(protocol)),
      log_(log),
      clock_(std::move(clock)),
      timer_(context),
      next_id_(config.incarnation << 32) {
  for (const auto& [peer, endpoint] : peers) {
    const auto pair = static_cast<std::uint64_t>(config.self * 64 + peer);
    links_[peer] = std::make_unique<PeerLink>(context, config.self, endpoint, config.link_delay,
                                              config.seed * 4096 + pair);
  }
}

void Node::start() {
  for (auto& [peer, link] : links_) link->start();
  tick();
}

void Node::stop() { log_.close_orderly(); }

Time Node::now() const {
  const auto steady = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  return {steady.count(), clock_.now()};
}

void Node::tick() {
  clock_.look();
  Output out;
  protocol_->on_tick(now(), out);
  release(std::move(out));
  if (log_.deferred() && now() - synced_at_ > kSyncEvery) {
    log_.sync();
    synced_at_ = now();
  }
  expire();
  timer_.expires_after(kTick);
  timer_.async_wait([this](ErrorCode error) {
    if (!error) tick();
  });
}

void Node::expire() {
  while (!pending_.empty() && pending_.begin()->second.deadline < now()) {
    const Answer answer = std::move(pending_.begin()->second.answer);
    pending_.erase(pending_.begin());
    answer(Response::unknown("timeout"));
  }
}

void Node::request(Request request, Answer answer) {
  request.id = ++next_id_;
  pending_[request.id] = {std::move(answer), now() + config_.request_timeout + kGrace};
  Output out;
  try {
    if (is_function(request.f)) protocol_->on_request(request, now(), out);
    else out.replies.push_back({request.id, Response::failed("unsupported")});
  } catch (const Json::exception&) {  // a token that is none
    out.replies.push_back({request.id, Response::failed("bad-request")});
  }
  release(std::move(out));
}

void Node::receive(const Json& batch) {
  const Peer from = batch.at("from");
  if (from < 1 || from > config_.nodes || from == config_.self) return;
  for (const Json& message : batch.at("messages")) {
    Output out;
    try {
      protocol_->on_message(from, message, now(), out);
    } catch (const Json::exception& error) {
      std::fprintf(stderr, "dropped the rest of a malformed message of node %d: %s\n", from,
                   error.what());
    }
    release(std::move(out));  // what it did until then is made durable
  }
}

void Node::release(Output out) {
  persist(out);
  if (!log_.must_sync() && held_.empty()) return deliver(out);
  held_.push_back(std::move(out));
  schedule_sync();
}

void Node::persist(const Output& out) {
  std::vector<std::string> payloads;
  for (const Json& record : out.records) payloads.push_back(record.dump());
  if (out.compacts) return log_.replace(payloads);
  for (const std::string& payload : payloads) log_.append(payload);
}

void Node::schedule_sync() {
  if (sync_scheduled_) return;
  sync_scheduled_ = true;
  asio::post(context_, [this] {
    sync_scheduled_ = false;
    log_.sync();
    std::deque<Output> ready = std::move(held_);
    held_.clear();
    for (Output& out : ready) deliver(out);
  });
}

void Node::deliver(Output& out) {
  for (Output::Send& send : out.sends) {
    const auto link = links_.find(send.to);  // a peer may name a node that is none
    if (link != links_.end()) link->second->send(std::move(send.message), send.chatter);
  }
  for (Output::Reply& reply : out.replies) {
    const auto found = pending_.find(reply.id);
    if (found == pending_.end()) continue;
    const Answer answer = std::move(found->second.answer);
    pending_.erase(found);
    if (!config_.versions) reply.response.ver.reset();
    answer(reply.response);
  }
}

Json Node::status() const {
  Json status = protocol_->status();
  std::size_t unsent = 0;
  for (const auto& [peer, link] : links_) unsent += link->unsent();
  status["node"] = config_.self;
  status["incarnation"] = config_.incarnation;
  status["unsent"] = unsent;
  status["clock_offset_ms"] = clock_.offset();
  status["drained"] = status["pending"] == 0 && unsent == 0 && held_.empty() && pending_.empty();
  return status;
}

}  // namespace refstore
