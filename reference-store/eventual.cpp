// Eventual consistency with lazy propagation: any node accepts any update at once; it is sent on to
// the others after a random delay, each update for itself, so that they arrive in no particular
// order; anti-entropy (version vectors, exchanged regularly) repairs what was lost (Demers et al.
// 1987; Petersen et al. 1997). Concurrent writes: the last writer by (Lamport time, node) wins. An
// append is an update of its own, merged by that order: two nodes never overwrite each other's
// list.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "reference-store/cell.h"

namespace refstore {
namespace {

constexpr Millis kAntiEntropyEvery = 300;
constexpr std::size_t kRepairMax = 500;

struct Update {
  std::string origin;  // "node.incarnation": its sequence starts at 1 and has no gaps
  std::uint64_t seq = 0;
  std::int64_t ver = 0;  // (Lamport time, node, incarnation) in one integer
  std::string f;         // write | append
  std::string key;
  Json value;
};

Json to_json(const Update& u) { return Json::array({u.origin, u.seq, u.ver, u.f, u.key, u.value}); }
Update from_json(const Json& j) { return {j[0], j[1], j[2], j[3], j[4], j[5]}; }

/// What is known of one origin's updates: all up to `contiguous`, and some beyond.
struct Known {
  std::uint64_t contiguous = 0;
  std::map<std::uint64_t, Update> updates;
};

class Eventual final : public Protocol {
 public:
  explicit Eventual(const Config& config)
      : config_(config),
        random_(config.seed * 1'000'003 + static_cast<std::uint64_t>(config.self)),
        origin_(fmt::format("{}.{}", config.self, config.incarnation)) {}

  void recover(const Json& record) override { learn(from_json(record)); }

  void on_request(const Request& request, Millis now, Output& out) override {
    if (request.f == "read") {
      out.replies.push_back({request.id, read_cell(request.key)});
    } else if (request.f == "cas") {
      out.replies.push_back({request.id, Response::failed("unsupported")});
    } else {
      update(request, now, out);
    }
  }

  void on_message(Peer from, const Json& message, Millis, Output& out) override {
    const std::string type = message.at("t");
    if (type == "updates") {
      for (const Json& item : message.at("items")) receive(from_json(item), out);
    } else if (type == "vector") {
      repair(from, message.at("have"), out);
    }
  }

  void on_tick(Millis now, Output& out) override {
    std::map<Peer, Json> due;
    while (!lazy_.empty() && lazy_.begin()->first <= now) {
      const auto& [peer, item] = lazy_.begin()->second;
      due.try_emplace(peer, Json::array()).first->second.push_back(item);
      lazy_sequences_.erase(lazy_sequences_.find(item[1].get<std::uint64_t>()));
      lazy_.erase(lazy_.begin());
    }
    for (auto& [peer, items] : due) {
      out.sends.push_back({peer, {{"t", "updates"}, {"items", std::move(items)}}});
    }
    if (now - exchanged_at_ < kAntiEntropyEvery) return;
    exchanged_at_ = now;
    Json have = Json::object();
    for (const auto& [origin, known] : known_) have[origin] = known.contiguous;
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self) out.sends.push_back({peer, {{"t", "vector"}, {"have", have}}});
    }
  }

  Json status() const override {
    std::string position;
    std::size_t gaps = 0;
    for (const auto& [origin, known] : known_) {
      position += fmt::format("{}:{} ", origin, known.contiguous);
      gaps += known.updates.size() - known.contiguous;
    }
    return {{"position", position}, {"pending", lazy_.size() + gaps}, {"role", "replica"}};
  }

  Json dump() const override { return shown(cells_); }

 private:
  Response read_cell(const std::string& key) const {
    Response response;
    const auto found = cells_.find(key);
    if (found == cells_.end()) {
      response.ver = 0;
      return response;
    }
    response.value = found->second.shown();
    if (!found->second.list) response.ver = found->second.place;
    return response;
  }

  void update(const Request& request, Millis now, Output& out) {
    const auto cell = cells_.find(request.key);
    if (cell != cells_.end() && cell->second.list != (request.f == "append")) {
      out.replies.push_back({request.id, Response::failed("wrong-type")});
      return;
    }
    const std::int64_t ver = version_of(lamport_ + 1, config_);
    const Update update{origin_,     known_[origin_].contiguous + 1,
                        ver,         request.f == "append" ? "append" : "write",
                        request.key, request.f == "delete" ? Json() : request.value};
    learn(update);
    out.records.push_back(to_json(update));
    out.replies.push_back({request.id, {"ok", "", nullptr, ver, {}, nullptr}});
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer == config_.self) continue;
      const auto span = static_cast<std::uint64_t>(2 * config_.lazy_delay + 1);
      lazy_.insert({now + static_cast<Millis>(random_() % span), {peer, to_json(update)}});
      lazy_sequences_.insert(update.seq);
    }
  }

  void receive(const Update& update, Output& out) {
    if (learn(update)) out.records.push_back(to_json(update));
  }

  /// True if the update was news.
  bool learn(const Update& update) {
    Known& known = known_[update.origin];
    if (!known.updates.try_emplace(update.seq, update).second) return false;
    while (known.updates.contains(known.contiguous + 1)) ++known.contiguous;
    lamport_ = std::max(lamport_, lamport_of(update.ver));
    Cell& cell = cells_[update.key];
    if (update.f == "append") cell.append(update.ver, update.value);
    else cell.write(update.ver, update.value);
    return true;
  }

  void repair(Peer from, const Json& have, Output& out) const {
    Json items = Json::array();
    for (const auto& [origin, known] : known_) {
      const std::uint64_t theirs = have.value(origin, std::uint64_t{0});
      for (auto at = known.updates.upper_bound(theirs); at != known.updates.end(); ++at) {
        if (items.size() < kRepairMax && old_enough(origin, at->first))
          items.push_back(to_json(at->second));
      }
    }
    if (!items.empty())
      out.sends.push_back({from, {{"t", "updates"}, {"items", std::move(items)}}});
  }

  /// Anti-entropy leaves this node's newest updates to the lazy path, or nothing would be lazy.
  bool old_enough(const std::string& origin, std::uint64_t seq) const {
    return origin != origin_ || !lazy_sequences_.contains(seq);
  }

  Config config_;
  std::mt19937_64 random_;
  std::string origin_;
  std::map<std::string, Known> known_;
  Cells cells_;
  std::multimap<Millis, std::pair<Peer, Json>> lazy_;  // when due -> to whom, what
  std::multiset<std::uint64_t> lazy_sequences_;        // own updates still in lazy_
  std::int64_t lamport_ = 0;
  Millis exchanged_at_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> make_eventual(const Config& config) {
  return std::make_unique<Eventual>(config);
}

}  // namespace refstore
