#pragma once
// Clients: how the sessions of a load reach the nodes of a store. A session has a slot, one request
// at a time, and connections of its own that are never shared, moved or repeated behind its back.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "checkers/history/event.h"
#include "workloads/workload.h"

namespace consistory {

/// One operation on its way to one node.
struct ClientRequest {
  Invocation invocation;
  std::size_t node = 1;     ///< 1…n
  bool local = false;       ///< a read of the node's own copy
  std::string token;        ///< of the session's last completion that had one
  Nanos timeout = kSecond;  ///< after which the outcome is unknown
};

struct Completion {
  Outcome outcome = Outcome::info;
  std::string error;
  Value value;
  std::optional<std::vector<Value>> elements;
  std::optional<std::int64_t> version;
  bool swapped = true;
  std::optional<Value> seen;                   ///< cas that did not swap: the value it met
  std::vector<std::vector<Value>> lists = {};  ///< of a transaction: what its reads returned
  std::string token;  ///< what the session shows with its next operation; empty: nothing new
};

/// The outcome is unknown; and surely nothing happened.
Completion unknown(std::string error);
Completion failed(std::string error);

/// Owned by one thread.
class Clients {
 public:
  virtual ~Clients() = default;
  virtual void start(std::size_t slot, ClientRequest request) = 0;

  struct Finished {
    std::size_t slot;
    Completion completion;
  };
  /// Waits up to `span` for something to finish; returns all that did.
  virtual std::vector<Finished> poll(Nanos span) = 0;
};

struct HttpRequest;
struct HttpAnswer;

/// What a store that speaks HTTP is asked, and what its answers mean. Immutable.
class HttpProtocol {
 public:
  virtual ~HttpProtocol() = default;
  virtual HttpRequest encode(const ClientRequest& request, const std::string& base_url) const = 0;
  /// Errors become fail only by a table of definite ones; everything else is info.
  /// Asked only about answers that came.
  virtual Completion decode(const ClientRequest& request, const HttpAnswer& answer) const = 0;
};

/// `urls[i]` is that of node i+1 ("http://10.77.0.1:2379"); `protocol` must outlive the clients.
std::unique_ptr<Clients> make_http_clients(std::size_t slots, std::vector<std::string> urls,
                                           const HttpProtocol& protocol);

/// Every key with a prefix, so that nothing that was there before is touched.
std::unique_ptr<Clients> with_prefix(std::unique_ptr<Clients> clients, std::string prefix);

/// One session's connection to one node, for libraries that block. Used by one thread.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Must return by the request's timeout, more or less, whatever the store does.
  virtual Completion perform(const ClientRequest& request) = 0;
  /// Is it of no use any more? Then the next request opens another.
  virtual bool broken() const = 0;
};

/// Opens a connection of session `slot` to a node within the timeout; null and a reason if there is
/// none, which is an operation that surely did not happen.
using Connector = std::function<std::unique_ptr<Connection>(std::size_t slot, std::size_t node,
                                                            Nanos timeout, std::string& why)>;

/// Has a session a connection to each node, or one that goes to any of them itself?
enum class Sharing : std::uint8_t { one_connection_per_node, one_connection_for_all_nodes };

/// A thread for every slot. `connect` is called on these threads; a connection for all nodes, which
/// may be a program that takes its time to start, before this returns.
std::unique_ptr<Clients> make_blocking_clients(std::size_t slots, Connector connect,
                                               Sharing sharing = Sharing::one_connection_per_node);

}  // namespace consistory
