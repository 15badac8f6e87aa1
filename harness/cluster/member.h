#pragma once
// Member: one member of a cluster, wherever it runs, and what can be done to its processes.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/disks/faulty_disk.h"
#include "harness/stores/store.h"

namespace consistory {

/// Not thread-safe. Destruction undoes what was done to it.
class Member {
 public:
  explicit Member(NodeLayout layout) : layout_(std::move(layout)) {}
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  virtual ~Member() = default;

  const NodeLayout& layout() const { return layout_; }
  std::string name() const { return "n" + std::to_string(layout_.number); }

  /// Starts its processes; prepare() is done before the first time.
  virtual Status prepare() = 0;
  virtual Status spawn() = 0;
  virtual bool is_up() const = 0;
  /// How it ended, if it did by itself; nothing while it runs, or if that cannot be told.
  virtual std::optional<std::string> end() = 0;
  /// SIGKILL to every process; returns how the main one ended; empty if there was none.
  virtual Result<std::string> kill() = 0;
  /// SIGSTOP; returns the state that the system reports then ("T (stopped)").
  virtual Result<std::string> stop() = 0;
  virtual Status go_on() = 0;
  /// What it said last and where all of it is, for messages.
  virtual std::string last_words() const = 0;

  /// Its processes, if they run on this machine: the main one first.
  virtual std::vector<pid_t> pids() const { return {}; }
  /// None: it has no disk of its own.
  virtual FaultyDisk* disk() { return nullptr; }

  int may_end = 0;  ///< how many faults are a reason for it to end
  int pauses = 0;   ///< how many faults hold it stopped
  ClockSkew skew;   ///< that its processes are to have
  Nanos skewed_at = 0;
  Nanos kept_monotonic = 0;  ///< of skews before: that clock never goes back

 private:
  NodeLayout layout_;
};

}  // namespace consistory
