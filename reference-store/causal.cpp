// Causal consistency with vector clocks: any node accepts any update at once, tells the others, and
// each applies it only when everything it depends on is applied (Ladin et al. 1992; Ahamad et al.
// 1995; Lloyd et al. 2011). What an update depends on is all that its node had applied. Concurrent
// writes either converge, the last writer by (Lamport time, node) wins, or stay in the order in
// which they arrived, each node's own.
//
// A client that moves brings its vector along (the token); a node that is behind lets it wait, and
// refuses it, surely without effect, when the time is over.
#include "reference-store/replica.h"
#include "reference-store/waiting_room.h"

namespace refstore {
namespace {

constexpr Millis kAntiEntropyEvery = 150;

class Causal final : public Protocol {
 public:
  explicit Causal(const Config& config)
      : config_(config),
        converge_(config.conflicts == "converge"),
        replica_(config, {.in_sequence = true, .by_arrival = !converge_}) {}

  void recover(const Json& record) override { replica_.learn(update_from_json(record)); }

  void on_request(const Request& request, Time now, Output& out) override {
    const bool known = request.f == "read" || request.f == "write" || request.f == "delete" ||
                       request.f == "append";
    if (!known) {
      out.replies.push_back({request.id, Response::failed("unsupported")});
    } else if (request.local || replica_.holds(vector_of(request.token))) {
      serve(request, now, out);
    } else {
      behind_.admit(request, now + config_.request_timeout);
    }
  }

  void on_message(Peer from, const Json& message, Time now, Output& out) override {
    const std::string type = message.at("t");
    if (type == "updates") {
      for (const Json& item : message.at("items")) {
        if (replica_.learn(update_from_json(item))) out.records.push_back(item);
      }
      const auto holds = [&](const Request& r) { return replica_.holds(vector_of(r.token)); };
      for (const Request& request : behind_.take(holds)) serve(request, now, out);
    } else if (type == "vector") {
      Json items = replica_.missing(vector_of(message.at("have")), {});
      if (!items.empty())
        out.sends.push_back({from, {{"t", "updates"}, {"items", std::move(items)}}});
    }
  }

  void on_tick(Time now, Output& out) override {
    behind_.refuse_late(now, out);
    if (now - exchanged_at_ < kAntiEntropyEvery) return;
    exchanged_at_ = now;
    tell_others({{"t", "vector"}, {"have", replica_.known()}}, true, out);
  }

  Json status() const override {
    return {{"position", replica_.position()},
            {"pending", replica_.waiting() + behind_.size()},
            {"role", "replica"},
            {"vector", replica_.applied()}};
  }

  Json dump() const override { return replica_.dump(); }

 private:
  void serve(const Request& request, Time now, Output& out) {
    Response response =
        request.f == "read" ? replica_.read(request.key) : update(request, now, out);
    Vector seen = replica_.applied();
    if (config_.planted("drop-vector-entry") && !seen.empty()) seen.erase(seen.begin());
    response.token = seen;
    out.replies.push_back({request.id, std::move(response)});
  }

  Response update(const Request& request, Time now, Output& out) {
    if (replica_.clashes(request)) return Response::failed("wrong-type");
    const Update& update = replica_.create(request, replica_.applied(), now);
    out.records.push_back(to_json(update));
    tell_others({{"t", "updates"}, {"items", Json::array({to_json(update)})}}, false, out);
    Response response;
    if (converge_) response.ver = update.ver;
    return response;
  }

  void tell_others(const Json& message, bool chatter, Output& out) const {
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self) out.sends.push_back({peer, message, chatter});
    }
  }

  Config config_;
  bool converge_;
  Replica replica_;
  WaitingRoom behind_;
  Millis exchanged_at_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> make_causal(const Config& config) {
  return std::make_unique<Causal>(config);
}

}  // namespace refstore
