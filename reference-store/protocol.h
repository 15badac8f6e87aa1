#pragma once
// What every replication protocol of the reference store is: a deterministic state machine without
// sockets, disks, timers or randomness of its own (sans-io). An input (a client's request, a peer's
// message, a tick of the clock) yields an Output: records to make durable, messages, replies.
//
// Durability rule, kept by the shell (node.h): nothing of an Output leaves the node before every
// record persisted so far is on disk. So a protocol may apply an update to its state at once.
// Single-threaded.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace refstore {

using Json = nlohmann::json;
using Peer = int;  ///< 1-based node number
using Millis = std::int64_t;

struct Request {
  std::uint64_t id = 0;  ///< unique in the life of the data directory
  std::string f;         ///< read | write | delete | cas | append
  std::string key;
  Json value;          ///< write, append, cas (new)
  Json expected;       ///< cas (old)
  bool local = false;  ///< read this node's own copy
  Json token;          ///< causal: what the client has seen, as the last response told it
};

/// The answer to a request. ok: took effect. fail: surely did not and never will. info: unknown.
struct Response {
  std::string type = "ok";
  std::string error;
  Json value;                       ///< of a read
  std::optional<std::int64_t> ver;  ///< the version written or read
  std::optional<bool> swapped;      ///< of a cas
  Json token;                       ///< causal: what the client has then seen

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
  };
  struct Reply {
    std::uint64_t id;
    Response response;
  };
  std::vector<Json> records;
  std::vector<Send> sends;
  std::vector<Reply> replies;
};

struct Config {
  Peer self = 1;
  int nodes = 3;
  std::uint64_t incarnation = 1;  ///< of this node; durable, one more at each start
  std::uint64_t seed = 1;
  Millis request_timeout = 700;       ///< when a pending request is answered `info`
  std::string propagation = "sync";   ///< primary: sync | async
  std::string read_from = "primary";  ///< primary: primary | local
  int read_quorum = 2;
  int write_quorum = 2;
  Millis lazy_delay = 100;             ///< eventual: mean delay before an update is sent on
  std::string conflicts = "converge";  ///< causal: converge | arrival
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Replays one durable record at start, before anything else.
  virtual void recover(const Json& record) = 0;
  virtual void on_request(const Request& request, Millis now, Output& out) = 0;
  virtual void on_message(Peer from, const Json& message, Millis now, Output& out) = 0;
  /// About every 20 ms.
  virtual void on_tick(Millis now, Output& out) = 0;
  /// {"position": text, "pending": n}. Nodes whose position is equal hold the same updates; pending
  /// counts requests and repairs under way here.
  virtual Json status() const = 0;
  /// Every key of this node's own copy: {key: value}.
  virtual Json dump() const = 0;
};

std::unique_ptr<Protocol> make_primary(const Config& config);
std::unique_ptr<Protocol> make_quorum(const Config& config);
std::unique_ptr<Protocol> make_eventual(const Config& config);
std::unique_ptr<Protocol> make_causal(const Config& config);

}  // namespace refstore
