// Primary-based, remote writes (Budhiraja et al. 1993): one node orders all updates in one log.
// Replicas forward updates (and, with --read-from primary, reads) to it, once: a forwarded request
// is never retried, so it takes effect at most once. The primary ships its log to each replica from
// where that replica's acknowledgements stand; with --propagation sync it answers an update when
// every replica holds it durably, with majority when most nodes do, with async at once. The primary
// is fixed: while it is down, writes stop. With a primary per key there are as many such logs as
// nodes (sharded.cpp), and no order across them.
//
// Each log entry carries a running hash of everything before it, so that a replica whose log is not
// a prefix of the primary's (possible only if fsync was off) notices and cuts back.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reference-store/forwarding.h"
#include "reference-store/hash.h"

namespace refstore {
namespace {

constexpr Millis kResendAfter = 150;
constexpr Millis kPrimaryLostAfter = 500;
constexpr std::size_t kBatchMax = 400;

struct Entry {
  std::string f;  // write | delete | append
  std::string key;
  Json value;
  std::uint64_t hash = 0;
};

struct Cell {
  Json value;  // null: absent
  std::int64_t ver = 0;
  bool list = false;
};

Json to_json(const Entry& entry) { return Json::array({entry.f, entry.key, entry.value}); }

class Primary final : public Protocol {
 public:
  explicit Primary(const Config& config)
      : config_(config), followers_(static_cast<std::size_t>(config.nodes) + 1) {
    for (Peer peer = 1; peer <= config.nodes; ++peer) {
      if (peer != config.primary_node) replicas_.push_back(peer);
    }
  }

  void recover(const Json& record) override {
    if (record.is_object()) {
      primary_incarnation_ = record.value("met", primary_incarnation_);
      if (record.contains("cut")) cut_back(record["cut"].get<std::size_t>());
    } else {
      append({record[0], record[1], record[2], 0});
    }
    base_ = log_.size();
  }

  void on_request(const Request& request, Time now, Output& out) override {
    const bool read = request.f == "read";
    if (request.f == "acquire") {
      out.replies.push_back({request.id, Response::failed("unsupported")});
      return;
    }
    if (read && (request.local || config_.read_from == "local" || is_primary())) {
      out.replies.push_back({request.id, read_cell(request.key)});
    } else if (is_primary()) {
      update(request, {0, request.id}, now, out);
    } else if (now - primary_heard_ > kPrimaryLostAfter) {
      out.replies.push_back({request.id, Response::failed("primary-unreachable")});
      if (config_.planted("refused-but-forwarded")) forward(request, now, out);
    } else {
      forward(request, now, out);
    }
  }

  void on_message(Peer from, const Json& message, Time now, Output& out) override {
    if (from == config_.primary_node) primary_heard_ = now;
    const std::string type = message.at("t");
    if (type == "forward") on_forward(from, message, now, out);
    if (type == "forwarded") on_forwarded(message, out);
    if (type == "replicate") on_replicate(message, out);
    if (type == "ack") on_ack(from, message, now, out);
  }

  void on_tick(Time now, Output& out) override {
    std::erase_if(forwarded_, [&](const auto& item) {
      return now - item.second.since > config_.request_timeout;
    });
    if (config_.planted("retry-applied-twice")) retry(now, out);
    if (!is_primary()) return;
    while (!waiting_.empty() && now - waiting_.front().since > config_.request_timeout) {
      answer(waiting_.front().origin, Response::unknown("replicas-did-not-acknowledge"), out);
      waiting_.erase(waiting_.begin());
    }
    for (const Peer peer : replicas_) {
      Follower& follower = follower_of(peer);
      const bool stale = now - follower.sent_at > kResendAfter;
      if (!follower.met) {
        if (stale) send_entries(peer, log_.size(), log_.size(), now, out);
        continue;
      }
      if (follower.acked < log_.size() && stale) follower.next = follower.acked;
      if (stale || config_.propagation != "majority") ship(peer, now, out);
    }
  }

  Json status() const override {
    return {{"position", fmt::format("{}:{:x}", log_.size(), head_hash())},
            {"pending", waiting_.size() + forwarded_.size()},
            {"role", is_primary() ? "primary" : "replica"},
            {"vector", {{log_name(), log_.size()}}},
            {"lag", lag()}};
  }

  Json dump() const override {
    Json all = Json::object();
    for (const auto& [key, cell] : cells_) all[key] = cell.value;
    return all;
  }

  /// Updates are the primary's affair, which holds all of its log.
  bool may_serve(const Request& request, const Updates& seen) const override {
    const auto places = seen.find(log_name());
    if (request.f != "read" || places == seen.end() || places->second.empty()) return true;
    return *places->second.rbegin() <= log_.size();
  }

  /// Who holds a place in the log holds all before it.
  void forget(Updates& seen) const override {
    for (auto& [log, places] : seen) {
      if (places.size() > 1) places = {*places.rbegin()};
    }
  }

 private:
  /// Where an answer goes: a local request (node 0) or a peer's forwarded one.
  struct Origin {
    Peer node;
    std::uint64_t id;
  };
  struct Waiting {
    std::size_t index;  // log length at which all replicas hold the update
    Origin origin;
    Response response;
    Millis since;
  };
  struct Follower {
    bool met = false;       // has answered this incarnation of the primary
    std::size_t acked = 0;  // log length held durably
    std::size_t next = 0;   // log length shipped
    Millis sent_at = 0;
  };

  struct Forwarded {
    Request request;
    Millis since = 0;
    Millis sent_at = 0;
  };

  bool is_primary() const { return config_.self == config_.primary_node; }
  Follower& follower_of(Peer peer) { return followers_[static_cast<std::size_t>(peer)]; }
  const Follower& follower_of(Peer peer) const {
    return followers_[static_cast<std::size_t>(peer)];
  }
  std::uint64_t head_hash() const { return log_.empty() ? 0 : log_.back().hash; }
  std::uint64_t hash_at(std::size_t length) const {
    return length == 0 ? 0 : log_[length - 1].hash;
  }

  std::string log_name() const { return fmt::format("log{}", config_.primary_node); }

  /// Entries that the slowest replica lacks, as far as this node knows.
  std::size_t lag() const {
    std::size_t lag = 0;
    if (!is_primary()) return lag;
    for (const Peer peer : replicas_)
      lag = std::max(lag, log_.size() - std::min(log_.size(), follower_of(peer).acked));
    return lag;
  }

  void forward(const Request& request, Millis now, Output& out) {
    forwarded_[request.id] = {request, now, now};
    out.sends.push_back({config_.primary_node, forward_message(request)});
  }

  void retry(Millis now, Output& out) {
    std::vector<Request> late;
    for (auto& [id, forwarded] : forwarded_) {
      if (now - forwarded.sent_at <= kResendAfter) continue;
      forwarded.sent_at = now;
      late.push_back(forwarded.request);
    }
    for (const Request& request : late) forward(request, now, out);
  }

  Response read_cell(const std::string& key) const {
    const auto found = cells_.find(key);
    Response response;
    response.token = Updates{{log_name(), {log_.size()}}};
    if (found == cells_.end()) {
      response.ver = 0;
      return response;
    }
    response.value = found->second.value;
    if (!found->second.list) response.ver = found->second.ver;
    return response;
  }

  void append(Entry entry) {
    entry.hash = hash_of(to_json(entry).dump(), head_hash() + 1);
    log_.push_back(std::move(entry));
    if (config_.planted("apply-out-of-order") && !is_primary() && log_.size() % 5 == 0) {
      held_back_ = log_.size();
      return;
    }
    apply_at(log_.size());
    if (held_back_) apply_at(*held_back_);
    held_back_.reset();
  }

  void apply_at(std::size_t place) { apply(log_[place - 1], static_cast<std::int64_t>(place)); }

  void apply(const Entry& entry, std::int64_t ver) {
    Cell& cell = cells_[entry.key];
    cell.ver = ver;
    if (entry.f == "append") {
      cell.list = true;
      if (!cell.value.is_array()) cell.value = Json::array();
      cell.value.push_back(entry.value);
    } else {
      cell.value = entry.f == "delete" ? Json() : entry.value;
    }
  }

  void cut_back(std::size_t length) {
    log_.resize(std::min(length, log_.size()));
    cells_.clear();
    for (std::size_t i = 0; i < log_.size(); ++i) apply(log_[i], static_cast<std::int64_t>(i) + 1);
  }

  void answer(const Origin& origin, const Response& response, Output& out) {
    if (origin.node == 0) {
      out.replies.push_back({origin.id, response});
      return;
    }
    out.sends.push_back({origin.node, answer_message(origin.id, response)});
  }

  void update(const Request& request, const Origin& origin, Millis now, Output& out) {
    if (request.f == "read") return answer(origin, read_cell(request.key), out);
    const auto cell = cells_.find(request.key);
    const bool known = cell != cells_.end() && !cell->second.value.is_null();
    if (known && cell->second.list != (request.f == "append")) {
      return answer(origin, Response::failed("wrong-type"), out);
    }
    Response response;
    Entry entry{request.f, request.key, request.value, 0};
    if (request.f == "cas") {
      const Json current = known ? cell->second.value : Json();
      response.swapped = current == request.expected;
      response.token = Updates{{log_name(), {log_.size()}}};
      if (!*response.swapped) {
        response.value = current;
        return answer_when_held(origin, response, now, out);
      }
      entry.f = "write";
    }
    append(entry);
    out.records.push_back(to_json(entry));
    response.ver = static_cast<std::int64_t>(log_.size());
    response.token = Updates{{log_name(), {log_.size()}}};
    answer_when_held(origin, response, now, out);
    ship_to_some(now, out);
  }

  /// With sync propagation, once every replica holds the log as it is now, or most nodes do: what
  /// an answer tells (a failed cas tells the current value) must not be news to the replica that is
  /// read next.
  void answer_when_held(const Origin& origin, const Response& response, Millis now, Output& out) {
    const bool wait = config_.propagation != "async" && config_.nodes > 1 &&
                      !config_.planted("ack-before-replicas");
    if (!wait) return answer(origin, response, out);
    waiting_.push_back({log_.size(), origin, response, now});
    release(out);
  }

  /// With majority propagation to as many replicas as make one; the others get it later, and so
  /// does everybody while one of the first does not acknowledge.
  void ship_to_some(Millis now, Output& out) {
    const bool thrifty = config_.propagation == "majority";
    const std::size_t count =
        thrifty ? static_cast<std::size_t>(config_.majority()) - 1 : replicas_.size();
    for (std::size_t i = 0; i < count; ++i) ship(replicas_[i], now, out);
  }

  void ship(Peer peer, Millis now, Output& out) {
    const Follower& follower = follower_of(peer);
    if (!follower.met || follower.next >= log_.size()) return;
    send_entries(peer, follower.next, std::min(log_.size(), follower.next + kBatchMax), now, out);
  }

  void send_entries(Peer peer, std::size_t from, std::size_t end, Millis now, Output& out) {
    Json entries = Json::array();
    for (std::size_t i = from; i < end; ++i) entries.push_back(to_json(log_[i]));
    out.sends.push_back({peer,
                         {{"t", "replicate"},
                          {"after", from},
                          {"hash", hash_at(from)},
                          {"incarnation", config_.incarnation},
                          {"base", base_},
                          {"entries", std::move(entries)}}});
    Follower& follower = follower_of(peer);
    follower.next = end;
    follower.sent_at = now;
  }

  void on_forward(Peer from, const Json& message, Millis now, Output& out) {
    if (!is_primary()) return;
    const Request request = forwarded_request(message);
    update(request, {from, request.id}, now, out);
  }

  void on_forwarded(const Json& message, Output& out) {
    if (forwarded_.erase(message.at("id").get<std::uint64_t>()) == 0) return;
    out.replies.push_back({message.at("id"), forwarded_answer(message)});
  }

  void on_replicate(const Json& message, Output& out) {
    const std::uint64_t incarnation = message.at("incarnation");
    if (is_primary() || incarnation < primary_incarnation_) return;  // held up on the way: stale
    if (incarnation > primary_incarnation_) meet_primary(incarnation, message.at("base"), out);
    const std::size_t after = message.at("after");
    const bool gap = after > log_.size();  // something before this was lost on the way
    if (!gap && hash_at(after) == message.at("hash").get<std::uint64_t>()) {
      accept(after, message.at("entries"), out);
    } else if (!gap && after > 0) {
      cut_back(after - 1);  // not the primary's log: step back until it is
      out.records.push_back({{"cut", after - 1}});
    }
    out.sends.push_back({config_.primary_node,
                         {{"t", "ack"},
                          {"length", log_.size()},
                          {"hash", head_hash()},
                          {"gap", gap},
                          {"incarnation", incarnation}}});
  }

  /// A primary that started again with a shorter log than ours had lost what it never made durable.
  /// That it was met is durable here: a replica that starts again must not take the same primary,
  /// whose log has grown since, for a new one.
  void meet_primary(std::uint64_t incarnation, std::size_t base, Output& out) {
    primary_incarnation_ = incarnation;
    Json record{{"met", incarnation}};
    if (log_.size() > base) {
      cut_back(base);
      record["cut"] = base;
    }
    out.records.push_back(std::move(record));
  }

  void accept(std::size_t after, const Json& entries, Output& out) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Json& item = entries.at(i);
      const Entry entry{item.at(0), item.at(1), item.at(2), 0};
      const std::size_t place = after + i;
      if (place < log_.size()) {
        if (to_json(log_[place]) == to_json(entry)) continue;
        cut_back(place);
        out.records.push_back({{"cut", place}});
      }
      append(entry);
      out.records.push_back(to_json(entry));
    }
  }

  void on_ack(Peer from, const Json& message, Millis now, Output& out) {
    const bool ours = message.at("incarnation").get<std::uint64_t>() == config_.incarnation;
    if (!is_primary() || !ours) return;
    Follower& follower = follower_of(from);
    const std::size_t length = message.at("length");
    const bool prefix =
        length <= log_.size() && hash_at(length) == message.at("hash").get<std::uint64_t>();
    const bool rewind = !follower.met || message.at("gap").get<bool>();
    follower.next = rewind ? length : std::max(follower.next, length);
    follower.met = true;
    follower.acked = prefix ? length : 0;
    // No prefix of ours: step back to where the two part.
    if (!prefix) follower.next = std::max<std::size_t>(std::min(length, log_.size()), 1) - 1;
    release(out);
    ship(from, now, out);
  }

  /// The log length that enough nodes hold for an answer.
  std::size_t held() const {
    std::vector<std::size_t> lengths = {log_.size()};
    for (const Peer peer : replicas_) lengths.push_back(follower_of(peer).acked);
    std::sort(lengths.rbegin(), lengths.rend());
    const int enough = config_.propagation == "majority" ? config_.majority() : config_.nodes;
    return lengths[static_cast<std::size_t>(enough) - 1];
  }

  void release(Output& out) {
    const std::size_t everywhere = held();
    auto first = waiting_.begin();
    for (; first != waiting_.end() && first->index <= everywhere; ++first) {
      answer(first->origin, first->response, out);
    }
    waiting_.erase(waiting_.begin(), first);
  }

  Config config_;
  std::vector<Entry> log_;
  std::map<std::string, Cell> cells_;
  std::vector<Follower> followers_;
  std::vector<Waiting> waiting_;                  // primary: ascending by index
  std::map<std::uint64_t, Forwarded> forwarded_;  // replica: requests at the primary
  std::vector<Peer> replicas_;                    // every node but the primary
  std::optional<std::size_t> held_back_;          // planted: an entry that the next one overtakes
  Millis primary_heard_ = 0;
  std::uint64_t primary_incarnation_ = 0;
  std::size_t base_ = 0;  // log length when this process started
};

}  // namespace

std::unique_ptr<Protocol> make_primary(const Config& config) {
  return std::make_unique<Primary>(config);
}

}  // namespace refstore
