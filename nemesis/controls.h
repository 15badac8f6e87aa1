#pragma once
// What a fault may ask of the world it breaks. harness/cluster implements these for real processes
// and links; tests implement them in memory. Methods may be called from the nemesis thread while
// the load runs; they block for at most a few seconds.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace consistory {

/// A place in the network: 0 stands for all clients, 1…n for the nodes.
using Place = std::size_t;
constexpr Place kClients = 0;

class ProcessControl {
 public:
  virtual ~ProcessControl() = default;
  /// SIGKILL; returns how the process ended ("killed by signal 9"); empty if it was down already,
  /// by another fault.
  virtual Result<std::string> kill(Place node) = 0;
  /// Starts those of the nodes that are down, all of them, and then waits until each serves: none
  /// may do so alone. A node that is up is left alone.
  virtual Status ensure_running(const std::vector<Place>& nodes) = 0;
  /// SIGSTOP; returns the state the system reports ("T (stopped)"); empty if the node is down. A
  /// node that was paused twice has to be resumed twice.
  virtual Result<std::string> pause(Place node) = 0;
  /// SIGCONT; a node that is not paused is left alone.
  virtual Status resume(Place node) = 0;
  /// The node may end by itself: what was done to it is a reason. Until as many forbid_end().
  virtual void allow_end(Place node) = 0;
  virtual void forbid_end(Place node) = 0;
  /// The node that leads, as the store tells now; nothing if none does, or if there is no leader.
  virtual std::optional<Place> leader() = 0;
};

/// How a directed link treats its packets. Several at once add up.
struct LinkQuality {
  Nanos delay = 0;
  Nanos jitter = 0;  ///< on top, uniform from 0 to this; packets keep their order
  double loss = 0;   ///< this and what follows: the share of packets, 0 to 1
  double duplicate = 0;
  double reorder = 0;  ///< of packets that come `reorder_by` late, so that others overtake them
  Nanos reorder_by = 5 * kMillisecond;
  double corrupt = 0;                 ///< a flipped bit, which TCP notices and repairs
  double corrupt_silently = 0;        ///< a flipped bit that no checksum tells of
  std::uint64_t bits_per_second = 0;  ///< 0: no limit
};

/// What happened on a link so far to the store's own traffic.
struct LinkCounters {
  std::uint64_t bytes_held = 0;        ///< by a cut
  std::uint64_t connections_held = 0;  ///< by a cut; where single packets are not seen
  std::uint64_t packets_cut = 0;       ///< this and packets…: where packets are seen
  std::uint64_t bytes_passed = 0;      ///< that were not held back
  std::uint64_t packets = 0;           ///< that came, whatever became of them
  std::uint64_t lost = 0;
  std::uint64_t delayed = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
};

class LinkControl {
 public:
  virtual ~LinkControl() = default;
  /// Nothing passes from `from` to `to` any more; the other direction is another link. A link that
  /// was cut twice has to be healed twice.
  virtual Status cut(Place from, Place to) = 0;
  virtual Status heal(Place from, Place to) = 0;
  /// Can links be worse than perfect and better than cut?
  virtual bool shapes() const { return false; }
  /// Adds to what the link does to packets, until the same is lifted; only if shapes().
  virtual Status impose(Place, Place, const LinkQuality&) { return Done{}; }
  virtual Status lift(Place, Place, const LinkQuality&) { return Done{}; }
  virtual LinkCounters counters(Place from, Place to) const = 0;
  /// Do clients reach nodes over links that can be cut?
  virtual bool carries_clients() const = 0;
};

/// How far a node's clocks are off. A drift of 0.1 gains 100 ms a second from now on.
struct ClockSkew {
  Nanos wall = 0;
  double wall_drift = 0;
  Nanos monotonic = 0;
  double monotonic_drift = 0;

  bool only_wall_offset() const {
    return wall_drift == 0 && monotonic == 0 && monotonic_drift == 0;
  }
  bool none() const { return wall == 0 && only_wall_offset(); }
};

/// What a node's clocks show, less what the machine's show.
struct ClockReading {
  Nanos wall = 0;
  Nanos monotonic = 0;
};

class ClockControl {
 public:
  virtual ~ClockControl() = default;
  /// Moves the node's clocks; the machine's are never touched. In place of any skew before.
  virtual Status set_skew(Place node, const ClockSkew& skew) = 0;
  /// As the node reads them; nothing if the node does not answer.
  virtual std::optional<ClockReading> read_clocks(Place node) = 0;
};

/// What is wrong with a disk. Counts are from now on, and strike once.
struct DiskTrouble {
  std::uint64_t failing_write = 0;   ///< the number of the write that fails with EIO; 0: none
  std::uint64_t failing_fsync = 0;   ///< the same of an fsync
  std::uint64_t crash_at_fsync = 0;  ///< the fsync at which the node is killed, before it is done
  std::int64_t bytes_left = -1;      ///< until writes fail with ENOSPC; below 0: no end
  Nanos fsync_delay = 0;
  bool fsyncs_lie = false;  ///< an fsync succeeds and does nothing
};

/// What happened on a disk so far.
struct DiskCounters {
  std::uint64_t writes = 0;
  std::uint64_t fsyncs = 0;
  std::uint64_t failed = 0;   ///< with EIO
  std::uint64_t refused = 0;  ///< with ENOSPC
  std::uint64_t delayed = 0;
  std::uint64_t lied = 0;
  std::uint64_t crashes = 0;
};

/// The disks of the nodes, one each.
class DiskControl {
 public:
  virtual ~DiskControl() = default;
  /// In place of any trouble before; {} ends it.
  virtual void set_trouble(Place node, const DiskTrouble& trouble) = 0;
  virtual DiskCounters counters(Place node) const = 0;
  /// Of a node that is down: takes back whatever was written and not synced; with `torn`, half of
  /// the last write stays. Returns what was lost, in words.
  virtual Result<std::string> lose_unsynced(Place node, bool torn) = 0;
  /// Of a node that is down: one bit of some file, drawn; returns which.
  virtual Result<std::string> flip_bit(Place node, Random& random) = 0;
};

struct Controls {
  ProcessControl* processes = nullptr;
  LinkControl* links = nullptr;
  ClockControl* clocks = nullptr;
  DiskControl* disks = nullptr;         ///< none: the ground has no disks of its own
  std::vector<std::string> node_names;  ///< [0] is "clients"

  std::size_t node_count() const { return node_names.size() - 1; }
};

}  // namespace consistory
