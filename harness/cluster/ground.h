#pragma once
// Ground: where the nodes of a run stand, and what carries what they send each other. The relay
// ground works everywhere; the sandbox ground gives every node a network namespace of its own.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "harness/hosts/host_address.h"
#include "nemesis/controls.h"

namespace consistory {

struct Endpoint {
  std::string host = "127.0.0.1";
  unsigned short port = 0;

  /// "127.0.0.1:7000"
  std::string text() const { return host + ":" + std::to_string(port); }
  /// A usage error if it is no "host:port".
  static Result<Endpoint> parse(const std::string& text);
  bool is_loopback() const;
};

class RemoteHost;

class Ground {
 public:
  virtual ~Ground() = default;
  /// "relay"
  virtual std::string_view name() const = 0;
  virtual LinkControl& links() = 0;
  /// Where the node is to listen; the controller may ask it there, whatever links are cut between
  /// nodes.
  virtual Endpoint own(Place node) const = 0;
  /// Where `from` finds `to`.
  virtual Endpoint reach(Place from, Place to) const = 0;
  /// The host that the node runs on, if it is another machine of which we have control.
  virtual RemoteHost* host(Place) { return nullptr; }
  /// The network namespace that the node is to run in, as a descriptor of ours; -1: this process's.
  virtual int network_space(Place) const { return -1; }
  /// Writes every packet between places to a file from now on; only where packets are seen.
  virtual Status capture(const std::string& path) = 0;
};

struct RelayOptions {
  bool carry_clients = false;     ///< so that clients can be cut off
  unsigned short first_port = 0;  ///< nodes listen on first_port, first_port+1, …; 0: any free ones
};

/// On 127.0.0.1. An environment error if a port is taken.
Result<std::unique_ptr<Ground>> make_relay_ground(std::size_t nodes, const RelayOptions& options);

/// Where nodes run that others started: no link can be cut.
std::unique_ptr<Ground> make_attached_ground(std::vector<Endpoint> nodes);

/// Hosts where others started the nodes, and of which we have control.
struct HostsPlan {
  std::vector<HostAddress> hosts;   ///< one a node
  std::vector<Endpoint> endpoints;  ///< of the nodes, in the same order
  std::string table;                ///< a name for what is ours in their packet filters
  std::string restart;              ///< the command that starts a node; empty: as it was started
};

/// Logs in to all of them. An environment error tells which could not be reached, or lacks what.
Result<std::unique_ptr<Ground>> make_hosts_ground(const HostsPlan& plan,
                                                  const std::string& log_directory);

/// Only inside a sandbox (harness/sandbox/enter.h). Fates of packets are drawn from `random`.
Result<std::unique_ptr<Ground>> make_sandbox_ground(std::size_t nodes, const Random& random);

}  // namespace consistory
