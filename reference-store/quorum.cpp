// Quorums (Gifford 1979) with versions: a write asks R nodes for the highest version, stores its
// value under a higher one and answers when W nodes hold it; a read returns the highest version of
// R answers. Which nodes are asked first is drawn anew for each operation, so that quorums differ;
// should some of them be slow, all are asked. Anti-entropy repairs the nodes that missed a write.
//
// With --read-write-back a read stores what it found at W nodes before it answers (Attiya, Bar-Noy,
// Dolev 1995): registers are then linearizable. Without, a value that only some nodes hold may be
// seen and then not seen, even by one session.
//
// A version is (counter, node, incarnation, sequence) in one integer, in that order of weight; the
// incarnation is durable before the node starts, so no version is ever used twice.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "reference-store/hash.h"
#include "reference-store/protocol.h"

namespace refstore {
namespace {

constexpr Millis kDigestEvery = 150;
constexpr Millis kAskAllAfter = 60;
constexpr int kSequenceBits = 20;
constexpr int kIncarnationBits = 14;
constexpr int kNodeBits = 5;

struct Cell {
  std::int64_t ver = 0;
  Json value;
};

class Quorum final : public Protocol {
 public:
  explicit Quorum(const Config& config)
      : config_(config),
        random_(config.seed * 1'000'003 + static_cast<std::uint64_t>(config.self)) {}

  void recover(const Json& record) override {
    keep(record.at(0), {record.at(1), record.at(2)}, false);
  }

  void on_request(const Request& request, Time now, Output& out) override {
    const bool write = request.f == "write" || request.f == "delete";
    if (request.f != "read" && !write) {
      out.replies.push_back({request.id, Response::failed("unsupported")});
      return;
    }
    if (request.local) {
      const Cell cell = cell_of(request.key);
      out.replies.push_back({request.id, {"ok", "", cell.value, cell.ver, {}, nullptr}});
      return;
    }
    pending_[request.id] = {request, write ? Phase::asking : Phase::reading, now, {}, {}, {}};
    if (write && config_.planted("write-without-asking")) {
      pending_[request.id].best = cell_of(request.key);
      return start_storing(request.id, out);
    }
    send_to_some(request.id, config_.read_quorum, out);
  }

  void on_message(Peer from, const Json& message, Time, Output& out) override {
    const std::string type = message.at("t");
    if (type == "query") on_query(from, message, out);
    if (type == "answer")
      on_answer(from, message.at("id"), {message.at("ver"), message.at("value")}, out);
    if (type == "store") on_store(from, message, out);
    if (type == "stored") on_stored(from, message.at("id"), out);
    if (type == "digest") on_digest(from, message, out);
    if (type == "repair") on_repair(message, out);
  }

  void on_tick(Time now, Output& out) override {
    give_up(now, out);
    std::vector<std::uint64_t> slow;
    for (const auto& [id, pending] : pending_) {
      const bool all = pending.sent.size() == static_cast<std::size_t>(config_.nodes);
      if (!all && now - pending.since > kAskAllAfter) slow.push_back(id);
    }
    for (const std::uint64_t id : slow) send_to_others(id, out);
    if (now - digest_at_ < kDigestEvery) return;
    digest_at_ = now;
    broadcast(digest(true), true, out);
  }

  Json status() const override {
    std::uint64_t hash = hash_of("");
    for (const auto& [key, cell] : cells_)
      hash = hash_of(fmt::format("{}={};", key, cell.ver), hash);
    return {
        {"position", fmt::format("{:x}", hash)}, {"pending", pending_.size()}, {"role", "replica"}};
  }

  Json dump() const override {
    Json all = Json::object();
    for (const auto& [key, cell] : cells_) all[key] = cell.value;
    return all;
  }

 private:
  enum class Phase { reading, asking, storing };
  struct Pending {
    Request request;
    Phase phase = Phase::reading;
    Millis since = 0;
    Cell best;
    std::set<Peer> sent;      // in this phase
    std::set<Peer> answered;  // in this phase
  };

  /// Before anything was stored nothing can take effect any more: a definite failure.
  void give_up(Millis now, Output& out) {
    std::erase_if(pending_, [&](const auto& entry) {
      const Pending& pending = entry.second;
      if (now - pending.since <= config_.request_timeout) return false;
      const bool stored = pending.phase == Phase::storing && pending.request.f != "read";
      out.replies.push_back({entry.first, stored ? Response::unknown("no-write-quorum")
                                                 : Response::failed("no-read-quorum")});
      return true;
    });
  }

  /// The phase's question to `count` nodes, drawn; this one is no better than others.
  void send_to_some(std::uint64_t id, int count, Output& out) {
    std::vector<Peer> peers;
    for (Peer peer = 1; peer <= config_.nodes; ++peer) peers.push_back(peer);
    std::shuffle(peers.begin(), peers.end(), random_);
    peers.resize(static_cast<std::size_t>(count));
    send_phase(id, peers, out);
  }

  void send_to_others(std::uint64_t id, Output& out) {
    std::vector<Peer> peers;
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (!pending_.at(id).sent.contains(peer)) peers.push_back(peer);
    }
    send_phase(id, peers, out);
  }

  void send_phase(std::uint64_t id, const std::vector<Peer>& peers, Output& out) {
    Pending& pending = pending_.at(id);
    pending.sent.insert(peers.begin(), peers.end());
    const std::string& key = pending.request.key;
    const bool storing = pending.phase == Phase::storing;
    Json message{{"t", storing ? "store" : "query"}, {"id", id}, {"key", key}};
    if (storing) {
      message["ver"] = pending.best.ver;
      message["value"] = pending.best.value;
      message["back"] = pending.request.f == "read";
    }
    for (const Peer peer : peers) {
      if (peer != config_.self) out.sends.push_back({peer, message});
    }
    if (std::find(peers.begin(), peers.end(), config_.self) == peers.end()) return;
    if (!storing) return on_answer(config_.self, id, cell_of(key), out);
    store(key, pending.best, pending.request.f == "read", out);
    on_stored(config_.self, id, out);
  }

  void broadcast(const Json& message, bool chatter, Output& out) const {
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self) out.sends.push_back({peer, message, chatter});
    }
  }

  Cell cell_of(const std::string& key) const {
    const auto found = cells_.find(key);
    return found == cells_.end() ? Cell{} : found->second;
  }

  /// Keeps the higher version; true if that is the new one.
  bool keep(const std::string& key, const Cell& cell, bool written_back) {
    const std::int64_t mine = cell_of(key).ver;
    const bool blindly = written_back && config_.planted("write-back-older");
    if (blindly ? cell.ver == mine : cell.ver <= mine) return false;
    cells_[key] = cell;
    return true;
  }

  void store(const std::string& key, const Cell& cell, bool written_back, Output& out) {
    if (keep(key, cell, written_back))
      out.records.push_back(Json::array({key, cell.ver, cell.value}));
  }

  void on_query(Peer from, const Json& message, Output& out) {
    const Cell cell = cell_of(message.at("key"));
    out.sends.push_back(
        {from,
         {{"t", "answer"}, {"id", message.at("id")}, {"ver", cell.ver}, {"value", cell.value}}});
  }

  void on_answer(Peer from, std::uint64_t id, const Cell& cell, Output& out) {
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.phase == Phase::storing) return;
    Pending& pending = found->second;
    if (!pending.answered.insert(from).second) return;
    const bool first = pending.answered.size() == 1;
    if (first || (cell.ver > pending.best.ver && !config_.planted("write-back-older")))
      pending.best = cell;
    const bool hasty = pending.phase == Phase::reading && config_.planted("read-one-answer");
    if (pending.answered.size() < static_cast<std::size_t>(hasty ? 1 : config_.read_quorum)) return;
    if (pending.phase == Phase::asking || config_.read_write_back) return start_storing(id, out);
    answer(found->first, out);
  }

  void answer(std::uint64_t id, Output& out) {
    const Pending& pending = pending_.at(id);
    const bool read = pending.request.f == "read";
    out.replies.push_back(
        {id, {"ok", "", read ? pending.best.value : Json(), pending.best.ver, {}, nullptr}});
    pending_.erase(id);
  }

  std::int64_t next_version(std::int64_t highest) {
    const std::int64_t counter = (highest >> (kNodeBits + kIncarnationBits + kSequenceBits)) + 1;
    const auto incarnation = static_cast<std::int64_t>(config_.incarnation);
    return ((counter << kNodeBits | config_.self) << kIncarnationBits | incarnation)
               << kSequenceBits |
           ++sequence_;
  }

  /// A write stores its value under a new version; a read that writes back, what it found.
  void start_storing(std::uint64_t id, Output& out) {
    Pending& pending = pending_.at(id);
    const Request& request = pending.request;
    pending.phase = Phase::storing;
    pending.answered.clear();
    pending.sent.clear();
    if (request.f != "read")
      pending.best = {next_version(pending.best.ver),
                      request.f == "delete" ? Json() : request.value};
    send_to_some(id, config_.write_quorum, out);
  }

  void on_store(Peer from, const Json& message, Output& out) {
    store(message.at("key"), {message.at("ver"), message.at("value")}, message.at("back"), out);
    out.sends.push_back({from, {{"t", "stored"}, {"id", message.at("id")}}});
  }

  void on_stored(Peer from, std::uint64_t id, Output& out) {
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.phase != Phase::storing) return;
    found->second.answered.insert(from);
    const int enough = config_.planted("ack-before-quorum") ? 1 : config_.write_quorum;
    if (found->second.answered.size() >= static_cast<std::size_t>(enough)) answer(id, out);
  }

  Json digest(bool ask) const {
    Json versions = Json::object();
    for (const auto& [key, cell] : cells_) versions[key] = cell.ver;
    return {{"t", "digest"}, {"versions", std::move(versions)}, {"ask", ask}};
  }

  /// Sends what the peer lacks; with "ask", also says what this node has, to get what it lacks.
  void on_digest(Peer from, const Json& message, Output& out) {
    const Json& theirs = message.at("versions");
    Json items = Json::array();
    for (const auto& [key, cell] : cells_) {
      const bool news = theirs.value(key, std::int64_t{0}) < cell.ver;
      if (news) items.push_back(Json::array({key, cell.ver, cell.value}));
    }
    bool behind = false;
    for (const auto& [key, ver] : theirs.items()) {
      behind = behind || ver.get<std::int64_t>() > cell_of(key).ver;
    }
    if (!items.empty()) out.sends.push_back({from, {{"t", "repair"}, {"items", std::move(items)}}});
    if (behind && message.at("ask").get<bool>()) out.sends.push_back({from, digest(false)});
  }

  void on_repair(const Json& message, Output& out) {
    for (const Json& item : message.at("items"))
      store(item.at(0), {item.at(1), item.at(2)}, false, out);
  }

  Config config_;
  std::mt19937_64 random_;
  std::map<std::string, Cell> cells_;
  std::map<std::uint64_t, Pending> pending_;
  std::int64_t sequence_ = 0;
  Millis digest_at_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> make_quorum(const Config& config) {
  return std::make_unique<Quorum>(config);
}

}  // namespace refstore
