#pragma once
// What a fault may ask of the world it breaks. harness/cluster implements these for real processes
// and links; tests implement them in memory. Methods may be called from the nemesis thread while
// the load runs; they block for at most a few seconds.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace consistory {

/// A place in the network: 0 stands for all clients, 1…n for the nodes.
using Place = std::size_t;
constexpr Place kClients = 0;

class ProcessControl {
 public:
  virtual ~ProcessControl() = default;
  /// SIGKILL; returns how the process ended ("killed by signal 9").
  virtual Result<std::string> kill(Place node) = 0;
  /// Starts a node that is down and waits until it serves; a node that is up is left alone.
  virtual Status ensure_running(Place node) = 0;
  /// SIGSTOP; returns the state the system reports ("T (stopped)").
  virtual Result<std::string> pause(Place node) = 0;
  /// SIGCONT; a node that is not paused is left alone.
  virtual Status resume(Place node) = 0;
  /// The node that leads, as the store tells now; nothing if none does, or if there is no leader.
  virtual std::optional<Place> leader() = 0;
};

/// What a cut has refused or held back so far, of the store's own traffic.
struct LinkCounters {
  std::uint64_t bytes_held = 0;
  std::uint64_t connections_held = 0;
};

class LinkControl {
 public:
  virtual ~LinkControl() = default;
  /// Nothing passes from `from` to `to` any more; the other direction is another link.
  virtual void cut(Place from, Place to) = 0;
  virtual void heal(Place from, Place to) = 0;
  virtual LinkCounters counters(Place from, Place to) const = 0;
  /// Do clients reach nodes over links that can be cut?
  virtual bool carries_clients() const = 0;
};

class ClockControl {
 public:
  virtual ~ClockControl() = default;
  /// Moves the node's clock; the machine's is never touched.
  virtual Status set_offset(Place node, Nanos offset) = 0;
  /// As the node reads it; nothing if the node does not answer.
  virtual std::optional<Nanos> offset(Place node) const = 0;
};

struct Controls {
  ProcessControl* processes = nullptr;
  LinkControl* links = nullptr;
  ClockControl* clocks = nullptr;
  std::vector<std::string> node_names;  ///< [0] is "clients"

  std::size_t node_count() const { return node_names.size() - 1; }
};

}  // namespace consistory
