// Primary-based, local writes (Tanenbaum and van Steen, "Distributed Systems", 7.5): the node that
// receives an update of a key first becomes the key's primary, then updates its own copy and
// propagates. Reads are of the own copy. An update is answered when every node holds it (sync) or
// at once (async, sent on after a random delay, so that keys overtake each other).
//
// Primaryship moves by a grant that carries the key's state and the next epoch; the granter gives
// it up durably before the grant leaves, so there is never more than one primary of an epoch. A
// lost grant is sent again when anybody asks for the key. Nobody takes primaryship by force: a node
// that is cut off keeps what it has and, with async propagation, goes on accepting updates
// (disconnected operation); the others read, and are refused updates of those keys.
//
// What travels is a key's whole state under its version (epoch, count): the higher one is kept.
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>
#include <set>

#include "reference-store/hash.h"
#include "reference-store/protocol.h"

namespace refstore {
namespace {

constexpr int kCountBits = 32;
constexpr Millis kAskAgainAfter = 100;
constexpr Millis kDigestEvery = 150;
constexpr Millis kPeerLostAfter = 500;

struct Cell {
  std::int64_t ver = 0;  // epoch and count in one integer
  Peer primary = 0;      // of that epoch
  Json value;            // null: absent
  bool list = false;
  std::int64_t written = 0;  // the version of the last update: a grant is none

  std::int64_t epoch() const { return ver >> kCountBits; }
  /// The primary of this epoch has not updated it yet: it may not even know that it is.
  bool just_granted() const { return epoch() > 0 && ver % (std::int64_t{1} << kCountBits) == 0; }
};

Json to_json(const std::string& key, const Cell& cell) {
  return Json::array({key, cell.ver, cell.primary, cell.value, cell.list, cell.written});
}
Cell cell_from_json(const Json& json) {
  return {json.at(1), json.at(2), json.at(3), json.at(4), json.at(5)};
}

class LocalWrites final : public Protocol {
 public:
  explicit LocalWrites(const Config& config)
      : config_(config),
        sync_(config.propagation == "sync"),
        random_(config.seed * 1'000'003 + static_cast<std::uint64_t>(config.self)) {}

  void recover(const Json& record) override { cells_[record.at(0)] = cell_from_json(record); }

  void on_request(const Request& request, Time now, Output& out) override {
    if (request.f == "read") {
      out.replies.push_back({request.id, read(request.key)});
    } else if (cell(request.key).primary == config_.self) {
      serve(request, now, out);
    } else {
      const bool asked = asking_.contains(request.key);
      Asking& asking = asking_[request.key];
      asking.requests.push_back({request, now});
      if (!asked) ask(request.key, asking, now, out);
    }
  }

  void on_message(Peer from, const Json& message, Time now, Output& out) override {
    heard_[from] = now;
    const std::string type = message.at("t");
    if (type == "acquire") on_acquire(from, message.at("key"), out);
    if (type == "grant") on_grant(message.at("state"), now, out);
    if (type == "states") on_states(from, message, now, out);
    if (type == "have") on_have(from, message, out);
    if (type == "digest") on_digest(from, message, out);
  }

  void on_tick(Time now, Output& out) override {
    if (started_ == 0) started_ = now;
    for (auto at = asking_.begin(); at != asking_.end();) {
      refuse_late(at->second, now, out);
      if (at->second.requests.empty()) {
        at = asking_.erase(at);
        continue;
      }
      if (now - at->second.asked_at > kAskAgainAfter) ask(at->first, at->second, now, out);
      ++at;
    }
    give_up(now, out);
    send_due(now, out);
    if (now - digest_at_ < kDigestEvery) return;
    digest_at_ = now;
    tell_others(digest(true), true, out);
  }

  Json status() const override {
    std::uint64_t hash = hash_of("");
    std::size_t primary_of = 0;
    for (const auto& [key, cell] : cells_) {
      if (cell.ver == 0) continue;
      primary_of += cell.primary == config_.self ? 1 : 0;
      hash = hash_of(fmt::format("{}={};", key, cell.ver), hash);
    }
    return {{"position", fmt::format("{:x}", hash)},
            {"pending", waiting_.size() + asking_.size() + lazy_.size()},
            {"role", fmt::format("primary of {} keys", primary_of)}};
  }

  Json dump() const override {
    Json all = Json::object();
    for (const auto& [key, cell] : cells_) {
      if (cell.ver > 0) all[key] = cell.value;
    }
    return all;
  }

 private:
  struct Queued {
    Request request;
    Millis since;
  };
  struct Asking {
    std::list<Queued> requests;
    Millis asked_at = 0;
  };
  struct Waiting {  // an update that not every node holds yet
    std::uint64_t id;
    std::string key;
    std::int64_t ver;
    Response response;
    Millis since;
    std::set<Peer> holders;
  };

  /// A key that nobody updated yet has its first primary by its name.
  Cell& cell(const std::string& key) {
    Cell& cell = cells_[key];
    if (cell.primary == 0) {
      cell.primary =
          static_cast<Peer>((hash_of(key) >> 7) % static_cast<std::uint64_t>(config_.nodes)) + 1;
    }
    return cell;
  }

  Response read(const std::string& key) const {
    Response response;
    const auto found = cells_.find(key);
    response.ver = 0;
    if (found == cells_.end()) return response;
    response.value = found->second.value;
    response.ver = found->second.written;
    if (found->second.list) response.ver.reset();
    return response;
  }

  void tell_others(const Json& message, bool chatter, Output& out) const {
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self) out.sends.push_back({peer, message, chatter});
    }
  }

  // --- updates at the primary ---

  void serve(const Request& request, Millis now, Output& out) {
    if (request.f == "acquire") {
      out.replies.push_back({request.id, {}});
      return;
    }
    Cell& mine = cell(request.key);
    const bool known = !mine.value.is_null();
    if (known && mine.list != (request.f == "append")) {
      out.replies.push_back({request.id, Response::failed("wrong-type")});
      return;
    }
    if (sync_ && !hears_all(now)) {
      out.replies.push_back({request.id, Response::failed("peers-unreachable")});
      return;
    }
    Response response;
    if (request.f == "cas" && mine.value != request.expected) {
      response.swapped = false;
      response.value = mine.value;
    } else {
      update(mine, request, response, out);
    }
    spread(request.key, now, out);
    if (!sync_ || config_.nodes == 1) {
      out.replies.push_back({request.id, response});
      return;
    }
    waiting_.push_back({request.id, request.key, mine.ver, response, now, {}});
  }

  static void update(Cell& mine, const Request& request, Response& response, Output& out) {
    mine.written = ++mine.ver;
    if (request.f == "append") {
      mine.list = true;
      if (!mine.value.is_array()) mine.value = Json::array();
      mine.value.push_back(request.value);
    } else {
      mine.value = request.f == "delete" ? Json() : request.value;
    }
    if (request.f == "cas") response.swapped = true;
    response.ver = mine.ver;
    out.records.push_back(to_json(request.key, mine));
  }

  bool hears_all(Millis now) const {
    if (now - started_ <= kPeerLostAfter) return true;
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      const auto found = heard_.find(peer);
      const bool heard = found != heard_.end() && now - found->second <= kPeerLostAfter;
      if (peer != config_.self && !heard) return false;
    }
    return true;
  }

  void spread(const std::string& key, Millis now, Output& out) {
    if (sync_) return tell_others(states({key}), false, out);
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer == config_.self) continue;
      const auto span = static_cast<std::uint64_t>(2 * config_.lazy_delay + 1);
      lazy_.insert({now + static_cast<Millis>(random_() % span), {peer, key}});
    }
  }

  void send_due(Millis now, Output& out) {
    while (!lazy_.empty() && lazy_.begin()->first <= now) {
      const auto [peer, key] = lazy_.begin()->second;
      out.sends.push_back({peer, states({key})});
      lazy_.erase(lazy_.begin());
    }
  }

  Json states(const std::vector<std::string>& keys) {
    Json items = Json::array();
    for (const std::string& key : keys) items.push_back(to_json(key, cell(key)));
    return {{"t", "states"}, {"items", std::move(items)}};
  }

  void on_states(Peer from, const Json& message, Millis now, Output& out) {
    Json have = Json::object();
    for (const Json& item : message.at("items")) {
      adopt(item, now, out);
      have[item.at(0).get<std::string>()] = cell(item.at(0)).ver;
    }
    if (sync_) out.sends.push_back({from, {{"t", "have"}, {"versions", std::move(have)}}});
  }

  void adopt(const Json& item, Millis now, Output& out) {
    Cell& mine = cell(item.at(0));
    if (item.at(1).get<std::int64_t>() <= mine.ver) return;
    mine = cell_from_json(item);
    out.records.push_back(item);
    serve_those_asking(item.at(0), now, out);
  }

  void on_have(Peer from, const Json& message, Output& out) {
    const Json& versions = message.at("versions");
    std::erase_if(waiting_, [&](Waiting& waiting) {
      if (versions.value(waiting.key, std::int64_t{0}) < waiting.ver) return false;
      waiting.holders.insert(from);
      if (waiting.holders.size() + 1 < static_cast<std::size_t>(config_.nodes)) return false;
      out.replies.push_back({waiting.id, waiting.response});
      return true;
    });
  }

  void give_up(Millis now, Output& out) {
    std::erase_if(waiting_, [&](const Waiting& waiting) {
      if (now - waiting.since <= config_.request_timeout) return false;
      out.replies.push_back({waiting.id, Response::unknown("replicas-did-not-acknowledge")});
      return true;
    });
  }

  // --- primaryship ---

  void ask(const std::string& key, Asking& asking, Millis now, Output& out) const {
    asking.asked_at = now;
    tell_others({{"t", "acquire"}, {"key", key}}, false, out);
  }

  /// The update was never begun, so it surely has no effect.
  void refuse_late(Asking& asking, Millis now, Output& out) const {
    std::erase_if(asking.requests, [&](const Queued& queued) {
      if (now - queued.since <= config_.request_timeout) return false;
      out.replies.push_back({queued.request.id, Response::failed("primary-unreachable")});
      return true;
    });
  }

  void on_acquire(Peer from, const std::string& key, Output& out) {
    Cell& mine = cell(key);
    if (mine.primary == config_.self) {
      Json before = config_.planted("transfer-forgets-last") ? without_last(mine) : mine.value;
      Cell given{(mine.epoch() + 1) << kCountBits, from, std::move(before), mine.list,
                 mine.written};
      if (config_.planted("transfer-keeps-primaryship")) return send_grant(from, key, given, out);
      mine = given;
      out.records.push_back(to_json(key, mine));
    } else if (!mine.just_granted()) {
      return;
    }
    send_grant(mine.primary, key, mine, out);  // again, if the last one was lost
  }

  static void send_grant(Peer to, const std::string& key, const Cell& cell, Output& out) {
    out.sends.push_back({to, {{"t", "grant"}, {"state", to_json(key, cell)}}});
  }

  static Json without_last(const Cell& cell) {
    if (!cell.list || cell.value.size() < 2) return cell.value;
    Json value = cell.value;
    value.erase(value.size() - 1);
    return value;
  }

  void on_grant(const Json& state, Millis now, Output& out) {
    const std::string key = state.at(0);
    Cell& mine = cell(key);
    const bool stale = state.at(1).get<std::int64_t>() <= mine.ver;
    if (stale && !config_.planted("transfer-without-epoch-check")) return;
    mine = cell_from_json(state);
    out.records.push_back(state);
    serve_those_asking(key, now, out);
  }

  /// Primaryship may have come with a grant, or with a state if the grant was lost.
  void serve_those_asking(const std::string& key, Millis now, Output& out) {
    if (cell(key).primary != config_.self) return;
    const auto asking = asking_.extract(key);
    if (asking.empty()) return;
    for (const Queued& queued : asking.mapped().requests) serve(queued.request, now, out);
  }

  // --- anti-entropy ---

  Json digest(bool ask) const {
    Json versions = Json::object();
    for (const auto& [key, cell] : cells_) {
      if (cell.ver > 0) versions[key] = cell.ver;
    }
    return {{"t", "digest"}, {"versions", std::move(versions)}, {"ask", ask}};
  }

  /// Sends what the peer lacks, a message a key; with "ask", also says what this node has.
  void on_digest(Peer from, const Json& message, Output& out) {
    const Json& theirs = message.at("versions");
    for (const auto& [key, cell] : cells_) {
      const bool news = theirs.value(key, std::int64_t{0}) < cell.ver;
      if (news && !is_lazy(from, key)) out.sends.push_back({from, states({key})});
    }
    bool behind = false;
    for (const auto& [key, ver] : theirs.items())
      behind = behind || ver.get<std::int64_t>() > cell(key).ver;
    if (behind && message.at("ask").get<bool>()) out.sends.push_back({from, digest(false)});
  }

  /// Anti-entropy leaves to the lazy path what is still in it.
  bool is_lazy(Peer to, const std::string& key) const {
    return std::any_of(lazy_.begin(), lazy_.end(), [&](const auto& entry) {
      return entry.second == std::pair<Peer, std::string>(to, key);
    });
  }

  Config config_;
  bool sync_;
  std::mt19937_64 random_;
  std::map<std::string, Cell> cells_;
  std::map<std::string, Asking> asking_;  // requests that wait for primaryship of their key
  std::list<Waiting> waiting_;
  std::multimap<Millis, std::pair<Peer, std::string>> lazy_;  // by when they are due
  std::map<Peer, Millis> heard_;
  Millis started_ = 0;
  Millis digest_at_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> make_local_writes(const Config& config) {
  return std::make_unique<LocalWrites>(config);
}

}  // namespace refstore
