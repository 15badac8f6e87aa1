#pragma once
// What every replication protocol of the reference store is: a deterministic state machine without
// sockets, disks, timers or randomness of its own (sans-io). An input (a client's request, a peer's
// message, a tick of the clock) yields an Output: records to make durable, messages, replies.
//
// Durability rule, kept by the shell (node.h): nothing of an Output leaves the node before every
// record persisted so far is on disk. So a protocol may apply an update to its state at once.
// Single-threaded.

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reference-store/config.h"

namespace refstore {

using Json = nlohmann::json;

/// What a node's clocks show: one that only goes forward, for spans of time, and the wall clock,
/// which may jump and differs from node to node.
struct Time {
  Millis steady = 0;
  Millis wall = 0;

  Time(Millis now) : steady(now), wall(now) {}
  Time(Millis now, Millis on_the_wall) : steady(now), wall(on_the_wall) {}
  operator Millis() const { return steady; }
};

/// Per origin of updates, how many of them, from the first: what a copy holds.
using Vector = std::map<std::string, std::uint64_t>;
/// Updates by origin and number: what a session read or wrote, exactly. A vector would stand for
/// earlier updates, too, and give guarantees that nobody switched on.
using Updates = std::map<std::string, std::set<std::uint64_t>>;

/// A vector that came from outside; what is none counts as empty.
inline Vector vector_of(const Json& json) { return json.is_object() ? Vector(json) : Vector(); }

inline Updates updates_of(const Json& json) { return json.is_object() ? Updates(json) : Updates(); }

/// Makes `into` include `part`.
inline void merge(Updates& into, const Updates& part) {
  for (const auto& [origin, numbers] : part) into[origin].insert(numbers.begin(), numbers.end());
}

struct Request {
  std::uint64_t id = 0;  ///< unique in the life of the data directory
  std::string f;         ///< read | write | delete | append | cas | acquire
  std::string key;
  Json value;          ///< write, append, cas (new)
  Json expected;       ///< cas (old)
  bool local = false;  ///< read this node's own copy
  Json token;          ///< what the client has seen, as the last response told it
  Updates depends;     ///< of an update: what must be applied before it (sessions.cpp)
};

/// The answer to a request. ok: took effect. fail: surely did not and never will. info: unknown.
struct Response {
  std::string type = "ok";
  std::string error;
  Json value;                       ///< of a read
  std::optional<std::int64_t> ver;  ///< the version written or read
  std::optional<bool> swapped;      ///< of a cas
  Json token;                       ///< what the client has then seen

  static Response failed(std::string error) {
    return {"fail", std::move(error), nullptr, {}, {}, nullptr};
  }
  static Response unknown(std::string error) {
    return {"info", std::move(error), nullptr, {}, {}, nullptr};
  }
};

struct Output {
  struct Send {
    Peer to;
    Json message;
    bool chatter = false;  ///< said again and again; a node that has only this to say has drained
  };
  struct Reply {
    std::uint64_t id;
    Response response;
  };
  std::vector<Json> records;
  std::vector<Send> sends;
  std::vector<Reply> replies;
  bool compacts = false;  ///< `records` stand for all that was made durable before, too
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Replays one durable record at start, before anything else.
  virtual void recover(const Json& record) = 0;
  virtual void on_request(const Request& request, Time now, Output& out) = 0;
  virtual void on_message(Peer from, const Json& message, Time now, Output& out) = 0;
  /// About every 20 ms.
  virtual void on_tick(Time now, Output& out) = 0;
  /// {"position": text, "pending": n, "role": text, …}. Nodes whose position is equal hold the same
  /// updates; pending counts requests and repairs under way here.
  virtual Json status() const = 0;
  /// Every key of this node's own copy: {key: value}.
  virtual Json dump() const = 0;
  /// May a client that has seen `seen` be served here now? Asked by the session layer.
  virtual bool may_serve(const Request&, const Updates& /*seen*/) const { return true; }
  /// Drops from what a client carries what need not be carried on: every node serves it.
  virtual void forget(Updates& /*seen*/) const {}
};

/// The protocol that `config` names, with its layers.
std::unique_ptr<Protocol> make_protocol(const Config& config);

std::unique_ptr<Protocol> make_primary(const Config& config);
std::unique_ptr<Protocol> make_local_writes(const Config& config);
std::unique_ptr<Protocol> make_quorum(const Config& config);
std::unique_ptr<Protocol> make_eventual(const Config& config);
std::unique_ptr<Protocol> make_causal(const Config& config);
std::unique_ptr<Protocol> make_raft(const Config& config);

}  // namespace refstore
