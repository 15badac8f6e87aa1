#pragma once
// Member: one member of a cluster as processes of this machine: prepared once, started, signalled,
// ended, started again.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/child_process.h"
#include "harness/disks/faulty_disk.h"
#include "harness/stores/store.h"

namespace consistory {

/// Not thread-safe. Destruction ends its processes, then takes its disk down.
class Member {
 public:
  Member(const Store& store, NodeLayout layout, std::string log_directory, int network_space)
      : store_(store),
        layout_(std::move(layout)),
        log_directory_(std::move(log_directory)),
        network_space_(network_space) {}
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member();

  const NodeLayout& layout() const { return layout_; }
  std::string name() const { return "n" + std::to_string(layout_.number); }
  std::string log_path() const;
  /// "said: …": what it logged last, for messages.
  std::string last_words() const;

  /// Makes its data directory; with `own_disk`, on a disk of its own, which lies beside it.
  Status make_directory(bool own_disk);
  /// The store's preparation, each step to its end.
  Status prepare();
  Status spawn();

  bool is_up() const { return !processes_.empty(); }
  /// How the first of its processes that ended did so; nothing while all run.
  std::optional<std::string> end();
  /// SIGKILL to every process; returns how the main one ended.
  Result<std::string> kill();
  void signal(int number);
  /// Of the main process, as /proc tells.
  char state() const { return processes_.front().state(); }

  /// The main process and all that came from it, then those of the others.
  std::vector<pid_t> pids() const;
  pid_t main_pid() const { return processes_.empty() ? -1 : processes_.front().pid(); }

  FaultyDisk* disk() { return disk_.get(); }

  int may_end = 0;  ///< how many faults are a reason for it to end
  int pauses = 0;   ///< how many faults hold it stopped
  ClockSkew skew;   ///< that its processes are to have
  Nanos skewed_at = 0;
  Nanos kept_monotonic = 0;  ///< of skews before: that clock never goes back

 private:
  const Store& store_;
  NodeLayout layout_;
  std::string log_directory_;
  int network_space_;
  std::unique_ptr<FaultyDisk> disk_;
  std::vector<ChildProcess> processes_;
  std::atomic<pid_t> group_ = 0;  // of the main process; 0: none
};

}  // namespace consistory
