#pragma once
// ChildProcess: one process that we started, its whole process group, and its end.
//
// What the wrapper adds to Boost.Process (whose pitfalls are known: leaked descriptors, exit codes
// that hide signals, grandchildren that survive): the child leads a group of its own, so that a
// terminal's Ctrl-C does not reach it and a kill reaches its children; it dies with the controller
// (PR_SET_PDEATHSIG); no descriptor but 0-2 crosses; output goes to a file, so no pipe can fill up.
// The child is reaped only here, so its pid cannot be reused while we hold it.

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace consistory {

struct Command {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< beside ours
  int network_space = -1;  ///< the network namespace to run in, as a descriptor; -1: ours
};

/// Not thread-safe; move-only. Destruction kills the group and reaps.
class ChildProcess {
 public:
  /// Starts `command` with its output appended to `log_path`. PR_SET_PDEATHSIG fires when the
  /// thread that forked ends, so every spawn happens on one thread that lives as long as the
  /// program.
  static Result<ChildProcess> spawn(const Command& command, const std::string& log_path);

  /// The same, but its standard input and output are ours to write to and to read from.
  static Result<ChildProcess> spawn_piped(const Command& command, const std::string& log_path,
                                          Descriptor& input, Descriptor& output);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// To the whole group; nothing once the process is reaped.
  void signal(int number) const;
  /// The wait status, if the process ends before the deadline (monotonic nanoseconds).
  std::optional<int> wait(Nanos deadline);
  bool running() { return !wait(0).has_value(); }
  /// The state letter of /proc ("R", "S", "T", "Z"…); '?' if it is gone.
  char state() const;

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  void end();

  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// The path of the program that runs, to find what stands beside it or to run it again.
std::string own_executable();

/// "killed by signal 9", "exited with 3".
std::string describe_end(int wait_status);

}  // namespace consistory
