// Quorums (Gifford 1979) with versions: a write asks R nodes for the highest version, stores its
// value under a higher one at all nodes and answers when W hold it; a read asks all and returns the
// highest of R answers. There is no read write-back, so a value that only some nodes hold may be
// seen and then not seen. Anti-entropy repairs the nodes that missed a write.
//
// A version is (counter, node, incarnation, sequence) in one integer, in that order of weight; the
// incarnation is durable before the node starts, so no version is ever used twice.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reference-store/protocol.h"

namespace refstore {
namespace {

constexpr Millis kDigestEvery = 150;
constexpr int kSequenceBits = 20;
constexpr int kIncarnationBits = 14;
constexpr int kNodeBits = 5;

struct Cell {
  std::int64_t ver = 0;
  Json value;
};

class Quorum final : public Protocol {
 public:
  explicit Quorum(const Config& config) : config_(config) {}

  void recover(const Json& record) override { keep(record[0], {record[1], record[2]}); }

  void on_request(const Request& request, Millis now, Output& out) override {
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
    Pending& pending = pending_[request.id];
    pending = {request, write ? Phase::asking : Phase::reading, now, 0, {}};
    broadcast({{"t", "query"}, {"id", request.id}, {"key", request.key}}, out);
    on_answer(request.id, cell_of(request.key), out);
  }

  void on_message(Peer from, const Json& message, Millis, Output& out) override {
    const std::string type = message.at("t");
    if (type == "query") on_query(from, message, out);
    if (type == "answer")
      on_answer(message.at("id"), {message.at("ver"), message.at("value")}, out);
    if (type == "store") on_store(from, message, out);
    if (type == "stored") on_stored(message.at("id"), out);
    if (type == "digest") on_digest(from, message, out);
    if (type == "repair") on_repair(message, out);
  }

  void on_tick(Millis now, Output& out) override {
    for (auto at = pending_.begin(); at != pending_.end();) {
      if (now - at->second.since <= config_.request_timeout) {
        ++at;
        continue;
      }
      // Before anything was stored nothing can take effect any more: a definite failure.
      const bool stored = at->second.phase == Phase::storing;
      out.replies.push_back({at->first, stored ? Response::unknown("no-write-quorum")
                                               : Response::failed("no-read-quorum")});
      at = pending_.erase(at);
    }
    if (now - digest_at_ < kDigestEvery) return;
    digest_at_ = now;
    broadcast(digest(true), out);
  }

  Json status() const override {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const auto& [key, cell] : cells_) {
      for (const char c : fmt::format("{}={};", key, cell.ver)) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
      }
    }
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
    int answers = 0;
    Cell best;
  };

  void broadcast(const Json& message, Output& out) const {
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self) out.sends.push_back({peer, message});
    }
  }

  Cell cell_of(const std::string& key) const {
    const auto found = cells_.find(key);
    return found == cells_.end() ? Cell{} : found->second;
  }

  /// Keeps the higher version; true if that is the new one.
  bool keep(const std::string& key, const Cell& cell) {
    Cell& mine = cells_[key];
    if (cell.ver <= mine.ver) return false;
    mine = cell;
    return true;
  }

  void store(const std::string& key, const Cell& cell, Output& out) {
    if (keep(key, cell)) out.records.push_back(Json::array({key, cell.ver, cell.value}));
  }

  void on_query(Peer from, const Json& message, Output& out) {
    const Cell cell = cell_of(message.at("key"));
    out.sends.push_back(
        {from,
         {{"t", "answer"}, {"id", message.at("id")}, {"ver", cell.ver}, {"value", cell.value}}});
  }

  void on_answer(std::uint64_t id, const Cell& cell, Output& out) {
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.phase == Phase::storing) return;
    Pending& pending = found->second;
    if (pending.answers++ == 0 || cell.ver > pending.best.ver) pending.best = cell;
    if (pending.answers < config_.read_quorum) return;
    if (pending.phase == Phase::asking) return start_storing(pending, out);
    out.replies.push_back({id, {"ok", "", pending.best.value, pending.best.ver, {}, nullptr}});
    pending_.erase(found);
  }

  std::int64_t next_version(std::int64_t highest) {
    const std::int64_t counter = (highest >> (kNodeBits + kIncarnationBits + kSequenceBits)) + 1;
    const auto incarnation = static_cast<std::int64_t>(config_.incarnation);
    return ((counter << kNodeBits | config_.self) << kIncarnationBits | incarnation)
               << kSequenceBits |
           ++sequence_;
  }

  void start_storing(Pending& pending, Output& out) {
    const Request& request = pending.request;
    pending.phase = Phase::storing;
    pending.answers = 0;
    pending.best = {next_version(pending.best.ver), request.f == "delete" ? Json() : request.value};
    store(request.key, pending.best, out);
    broadcast({{"t", "store"},
               {"id", request.id},
               {"key", request.key},
               {"ver", pending.best.ver},
               {"value", pending.best.value}},
              out);
    on_stored(request.id, out);
  }

  void on_store(Peer from, const Json& message, Output& out) {
    store(message.at("key"), {message.at("ver"), message.at("value")}, out);
    out.sends.push_back({from, {{"t", "stored"}, {"id", message.at("id")}}});
  }

  void on_stored(std::uint64_t id, Output& out) {
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.phase != Phase::storing) return;
    if (++found->second.answers < config_.write_quorum) return;
    out.replies.push_back({id, {"ok", "", nullptr, found->second.best.ver, {}, nullptr}});
    pending_.erase(found);
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
    for (const Json& item : message.at("items")) store(item[0], {item[1], item[2]}, out);
  }

  Config config_;
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
