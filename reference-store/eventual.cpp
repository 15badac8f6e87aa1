// Eventual consistency with lazy propagation: any node accepts any update at once; it is sent on to
// the others after a random delay, each update for itself, so that they arrive in no particular
// order (or monotonic writes would hold by accident); anti-entropy repairs what was lost (Demers et
// al. 1987). The last writer wins, by (Lamport time, node) or by (wall clock, node). An append is
// an update of its own, merged by that order: two nodes never overwrite each other's list.
#include <map>
#include <random>
#include <set>

#include "reference-store/replica.h"

namespace refstore {
namespace {

constexpr Millis kAntiEntropyEvery = 300;

class Eventual final : public Protocol {
 public:
  explicit Eventual(const Config& config)
      : config_(config),
        random_(config.seed * 1'000'003 + static_cast<std::uint64_t>(config.self)),
        replica_(config, {.wall_clock = config.lww == "wall"}) {}

  void recover(const Json& record) override { replica_.learn(update_from_json(record)); }

  void on_request(const Request& request, Time now, Output& out) override {
    out.replies.push_back({request.id, serve(request, now, out)});
  }

  void on_message(Peer from, const Json& message, Time, Output& out) override {
    const std::string type = message.at("t");
    if (type == "updates") {
      bool forgets = message.value("repair", false) && config_.planted("repair-forgets-first");
      for (const Json& item : message.at("items")) {
        if (!replica_.learn(update_from_json(item), !forgets)) continue;
        out.records.push_back(item);
        forgets = false;
      }
    } else if (type == "vector") {
      applied_at_[from] = vector_of(message.at("applied"));
      Json items = replica_.missing(vector_of(message.at("have")), lazy_sequences_);
      if (!items.empty())
        out.sends.push_back(
            {from, {{"t", "updates"}, {"repair", true}, {"items", std::move(items)}}});
    }
  }

  void on_tick(Time now, Output& out) override {
    send_due(now, out);
    if (now - exchanged_at_ < kAntiEntropyEvery) return;
    exchanged_at_ = now;
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self)
        out.sends.push_back(
            {peer,
             {{"t", "vector"}, {"have", replica_.known()}, {"applied", replica_.applied()}},
             true});
    }
  }

  Json status() const override {
    return {{"position", replica_.position()},
            {"pending", lazy_.size() + replica_.waiting()},
            {"role", "replica"},
            {"vector", replica_.applied()}};
  }

  Json dump() const override { return replica_.dump(); }

  bool may_serve(const Request&, const Updates& seen) const override {
    return replica_.holds(seen);
  }

  /// What all nodes have applied, as far as this one was told.
  void forget(Updates& seen) const override {
    for (auto& [origin, numbers] : seen)
      numbers.erase(numbers.begin(), numbers.upper_bound(applied_everywhere(origin)));
    std::erase_if(seen, [](const auto& entry) { return entry.second.empty(); });
  }

 private:
  struct Lazy {
    Peer to;
    std::uint64_t seq;
    Json item;
  };

  std::uint64_t applied_everywhere(const std::string& origin) const {
    const auto in = [&](const Vector& vector) {
      const auto found = vector.find(origin);
      return found == vector.end() ? std::uint64_t{0} : found->second;
    };
    std::uint64_t least = in(replica_.applied());
    for (const auto& [peer, applied] : applied_at_) least = std::min(least, in(applied));
    const bool heard_all = applied_at_.size() + 1 == static_cast<std::size_t>(config_.nodes);
    return heard_all ? least : 0;
  }

  Response serve(const Request& request, Time now, Output& out) {
    if (request.f == "read") {
      Response response = replica_.read(request.key);
      response.token = replica_.sources(request.key);
      return response;
    }
    const bool known = request.f == "write" || request.f == "delete" || request.f == "append";
    if (!known) return Response::failed("unsupported");
    if (replica_.clashes(request)) return Response::failed("wrong-type");
    const Update& update = replica_.create(request, {}, now);
    out.records.push_back(to_json(update));
    spread(update, now);
    return {"ok", "", nullptr, update.ver, {}, Updates{{update.origin, {update.seq}}}};
  }

  void spread(const Update& update, Millis now) {
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer == config_.self) continue;
      const auto span = static_cast<std::uint64_t>(2 * config_.lazy_delay + 1);
      lazy_.insert(
          {now + static_cast<Millis>(random_() % span), {peer, update.seq, to_json(update)}});
    }
    lazy_sequences_.insert(update.seq);
  }

  void send_due(Millis now, Output& out) {
    std::map<Peer, Json> due;
    while (!lazy_.empty() && lazy_.begin()->first <= now) {
      const Lazy lazy = std::move(lazy_.begin()->second);
      lazy_.erase(lazy_.begin());
      due.try_emplace(lazy.to, Json::array()).first->second.push_back(lazy.item);
    }
    for (auto& [peer, items] : due)
      out.sends.push_back({peer, {{"t", "updates"}, {"items", std::move(items)}}});
    if (due.empty()) return;
    lazy_sequences_.clear();
    for (const auto& [when, lazy] : lazy_) lazy_sequences_.insert(lazy.seq);
  }

  Config config_;
  std::mt19937_64 random_;
  Replica replica_;
  std::multimap<Millis, Lazy> lazy_;  // by when they are due
  // Own updates still in lazy_: anti-entropy leaves them to it, or nothing would be lazy.
  std::set<std::uint64_t> lazy_sequences_;
  std::map<Peer, Vector> applied_at_;  // as they told last
  Millis exchanged_at_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> make_eventual(const Config& config) {
  return std::make_unique<Eventual>(config);
}

}  // namespace refstore
