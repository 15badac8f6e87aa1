#pragma once
// A member as processes of this machine: prepared once, started, signalled, ended, started again.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/child_process.h"
#include "harness/cluster/member.h"

namespace consistory {

/// Not thread-safe. Destruction ends its processes, then takes its disk down.
class LocalMember final : public Member {
 public:
  LocalMember(const Store& store, NodeLayout layout, std::string log_directory, int network_space)
      : Member(std::move(layout)),
        store_(store),
        log_directory_(std::move(log_directory)),
        network_space_(network_space) {}
  ~LocalMember() override;

  /// Makes its data directory; with `own_disk`, on a disk of its own, which lies beside it.
  Status make_directory(bool own_disk);

  Status prepare() override;
  Status spawn() override;
  bool is_up() const override { return !processes_.empty(); }
  std::optional<std::string> end() override;
  Result<std::string> kill() override;
  Result<std::string> stop() override;
  Status go_on() override;
  std::string last_words() const override;
  std::vector<pid_t> pids() const override;
  FaultyDisk* disk() override { return disk_.get(); }

 private:
  std::string log_path() const;
  void signal(int number);

  const Store& store_;
  std::string log_directory_;
  int network_space_;
  std::unique_ptr<FaultyDisk> disk_;
  std::vector<ChildProcess> processes_;
  std::atomic<pid_t> group_ = 0;  // of the main process; 0: none
};

}  // namespace consistory
