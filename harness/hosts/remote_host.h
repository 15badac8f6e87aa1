#pragma once
// RemoteHost: another machine, reached by the system's OpenSSH, where our helper runs as long as we
// speak to it (helper.cpp). Whoever may log in there is for ssh to say: keys, agents and
// ~/.ssh/config are its own, and nothing of them is stored or printed by us.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/child_process.h"
#include "harness/cluster/line_pipe.h"
#include "harness/hosts/host_address.h"

namespace consistory {

/// Thread-safe.
class RemoteHost {
 public:
  /// Uploads the helper and starts it. What ssh says goes to the log. $CONSISTORY_SSH is the
  /// command, with arguments, to use in place of "ssh". An environment error tells what ssh said.
  static Result<std::unique_ptr<RemoteHost>> connect(const HostAddress& address,
                                                     const std::string& log_path);

  const std::string& name() const { return name_; }
  /// What follows "ok". An environment error if the host does not answer in time.
  Result<std::string> ask(const std::string& request);
  /// Says something if nothing was said for a while: the helper ends when it is alone.
  void keep_alive();

 private:
  RemoteHost(std::string name, std::string log_path, ChildProcess ssh, LinePipe pipe)
      : name_(std::move(name)),
        log_path_(std::move(log_path)),
        ssh_(std::move(ssh)),
        pipe_(std::move(pipe)) {}
  Error lost(const std::string& what) const;

  std::string name_;
  std::string log_path_;
  std::mutex mutex_;
  ChildProcess ssh_;
  LinePipe pipe_;
  std::int64_t last_id_ = 0;
  Nanos last_word_ = 0;
};

}  // namespace consistory
