// Causal consistency with vector clocks: any node accepts any update at once, tells the others, and
// each applies it only when everything it depends on is applied (Ladin et al. 1992; Ahamad et al.
// 1995; Lloyd et al. 2011). What an update depends on is all that its node had applied. Concurrent
// writes either converge, the last writer by (Lamport time, node) wins, or stay in the order in
// which they arrived, each node's own.
//
// A client that moves brings its vector along (the token); a node that is behind lets it wait, and
// refuses it, surely without effect, when the time is over.
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>

#include "reference-store/cell.h"

namespace refstore {
namespace {

constexpr Millis kAntiEntropyEvery = 150;
constexpr std::size_t kRepairMax = 500;

/// Per origin, how many of its updates, from the first.
using Vector = std::map<std::string, std::uint64_t>;

struct Update {
  std::string origin;  // "node.incarnation": its sequence starts at 1 and has no gaps
  std::uint64_t seq = 0;
  std::int64_t ver = 0;  // (Lamport time, node, incarnation) in one integer
  std::string f;         // write | append
  std::string key;
  Json value;
  Vector depends;
};

Json to_json(const Update& u) {
  return Json::array({u.origin, u.seq, u.ver, u.f, u.key, u.value, u.depends});
}
Update from_json(const Json& j) { return {j[0], j[1], j[2], j[3], j[4], j[5], j[6]}; }

class Causal final : public Protocol {
 public:
  explicit Causal(const Config& config)
      : config_(config),
        converge_(config.conflicts == "converge"),
        origin_(fmt::format("{}.{}", config.self, config.incarnation)) {}

  void recover(const Json& record) override { learn(from_json(record)); }

  void on_request(const Request& request, Millis now, Output& out) override {
    if (request.f == "cas") {
      out.replies.push_back({request.id, Response::failed("unsupported")});
    } else if (request.local || includes(applied_, vector_of(request.token))) {
      serve(request, out);
    } else {
      behind_.push_back({request, now + config_.request_timeout});
    }
  }

  void on_message(Peer from, const Json& message, Millis, Output& out) override {
    const std::string type = message.at("t");
    if (type == "updates") {
      for (const Json& item : message.at("items")) {
        const Update update = from_json(item);
        if (learn(update)) out.records.push_back(item);
      }
      serve_those_behind(out);
    } else if (type == "vector") {
      repair(from, message.at("have"), out);
    }
  }

  void on_tick(Millis now, Output& out) override {
    for (auto at = behind_.begin(); at != behind_.end();) {
      if (at->deadline > now) {
        ++at;
        continue;
      }
      out.replies.push_back({at->request.id, Response::failed("behind")});
      at = behind_.erase(at);
    }
    if (now - exchanged_at_ < kAntiEntropyEvery) return;
    exchanged_at_ = now;
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self) out.sends.push_back({peer, {{"t", "vector"}, {"have", applied_}}});
    }
  }

  Json status() const override {
    std::string position;
    for (const auto& [origin, count] : applied_) position += fmt::format("{}:{} ", origin, count);
    return {
        {"position", position}, {"pending", waiting_.size() + behind_.size()}, {"role", "replica"}};
  }

  Json dump() const override { return shown(cells_); }

 private:
  struct Behind {
    Request request;
    Millis deadline = 0;
  };

  static bool includes(const Vector& vector, const Vector& part) {
    return std::all_of(part.begin(), part.end(), [&](const auto& entry) {
      const auto found = vector.find(entry.first);
      return entry.second == 0 || (found != vector.end() && found->second >= entry.second);
    });
  }

  static Vector vector_of(const Json& token) {
    return token.is_object() ? Vector(token) : Vector();
  }

  void serve(const Request& request, Output& out) {
    Response response = request.f == "read" ? read(request.key) : update(request, out);
    response.token = applied_;
    out.replies.push_back({request.id, std::move(response)});
  }

  void serve_those_behind(Output& out) {
    for (auto at = behind_.begin(); at != behind_.end();) {
      if (!includes(applied_, vector_of(at->request.token))) {
        ++at;
        continue;
      }
      serve(at->request, out);
      at = behind_.erase(at);
    }
  }

  /// Versions tell one order of a key's updates; where each node has its own there is none.
  Response read(const std::string& key) const {
    Response response;
    const auto found = cells_.find(key);
    if (found == cells_.end()) {
      if (converge_) response.ver = 0;
      return response;
    }
    response.value = found->second.shown();
    if (converge_ && !found->second.list) response.ver = found->second.place;
    return response;
  }

  Response update(const Request& request, Output& out) {
    const auto cell = cells_.find(request.key);
    if (cell != cells_.end() && cell->second.list != (request.f == "append"))
      return Response::failed("wrong-type");
    const std::int64_t ver = version_of(lamport_ + 1, config_);
    const Update update{origin_,     applied_[origin_] + 1,
                        ver,         request.f == "append" ? "append" : "write",
                        request.key, request.f == "delete" ? Json() : request.value,
                        applied_};
    learn(update);
    out.records.push_back(to_json(update));
    for (Peer peer = 1; peer <= config_.nodes; ++peer) {
      if (peer != config_.self)
        out.sends.push_back({peer, {{"t", "updates"}, {"items", Json::array({to_json(update)})}}});
    }
    Response response;
    if (converge_) response.ver = ver;
    return response;
  }

  /// Keeps an update, and applies all that need wait no longer; false if it was known.
  bool learn(const Update& update) {
    if (!known_[update.origin].try_emplace(update.seq, update).second) return false;
    waiting_.push_back(update);
    for (bool moved = true; moved;) {
      moved = false;
      for (auto at = waiting_.begin(); at != waiting_.end();) {
        const bool ready = at->seq == applied_[at->origin] + 1 && includes(applied_, at->depends);
        if (ready) apply(*at);
        at = ready ? waiting_.erase(at) : std::next(at);
        moved = moved || ready;
      }
    }
    return true;
  }

  void apply(const Update& update) {
    applied_[update.origin] = update.seq;
    lamport_ = std::max(lamport_, lamport_of(update.ver));
    Cell& cell = cells_[update.key];
    const std::int64_t place = converge_ ? update.ver : ++arrivals_;
    if (update.f == "append") cell.append(place, update.value);
    else cell.write(place, update.value);
  }

  void repair(Peer from, const Json& have, Output& out) const {
    Json items = Json::array();
    for (const auto& [origin, updates] : known_) {
      const std::uint64_t theirs = have.value(origin, std::uint64_t{0});
      for (auto at = updates.upper_bound(theirs); at != updates.end(); ++at) {
        if (items.size() < kRepairMax) items.push_back(to_json(at->second));
      }
    }
    if (!items.empty())
      out.sends.push_back({from, {{"t", "updates"}, {"items", std::move(items)}}});
  }

  Config config_;
  bool converge_;
  std::string origin_;
  std::map<std::string, std::map<std::uint64_t, Update>> known_;  // by origin, for repair
  std::list<Update> waiting_;  // for what they depend on, in the order in which they came
  Vector applied_;
  Cells cells_;
  std::list<Behind> behind_;  // requests of clients that have seen more than this node
  std::int64_t lamport_ = 0;
  std::int64_t arrivals_ = 0;
  Millis exchanged_at_ = 0;
};

}  // namespace

std::unique_ptr<Protocol> make_causal(const Config& config) {
  return std::make_unique<Causal>(config);
}

}  // namespace refstore
