#pragma once
// The process that listens on a port of this host, whoever started it: found by its socket, killed,
// stopped, and started again the way it was started before. Part of the helper that is uploaded to
// a host.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace consistory {

/// How a process was started, as /proc tells.
struct Launch {
  std::string program;
  std::vector<std::string> arguments;  ///< [0] included
  std::vector<std::string> environment;
  std::string directory;
  std::string output, errors;  ///< the files that it writes them to
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  unsigned long open_files = 0;  ///< how many it may open

  static Result<Launch> of(pid_t process);
  /// Why a process started so would not be the one that was: empty if it would, as far as is known.
  static std::string doubt_about(pid_t process);
  /// Detached from the process that starts it.
  Status start() const;
};

class ServedProcess {
 public:
  /// `restart`, if not empty, is the shell command that starts it.
  ServedProcess(unsigned short port, std::string restart)
      : port_(port), restart_(std::move(restart)) {}

  /// The process that listens now; of several that share the socket, the one that the others come
  /// from. An error if that is not clear, or if it is one that may not be touched: the first of the
  /// machine, which starts services as others ask for them, or one that we come from ourselves.
  Result<std::optional<pid_t>> find() const;
  bool has_restart() const { return !restart_.empty(); }
  /// SIGKILL to it and to all that came from it; returns how it ended, empty if there is none.
  Result<std::string> kill();
  /// After kill(); nothing to be done if something listens again already.
  Status start();
  /// SIGSTOP to all of them; returns the state of the first, empty if there is none.
  Result<std::string> stop();
  void go_on();
  /// Undoes whatever was done and not undone.
  void restore();

 private:
  static Status end(const std::vector<pid_t>& tree, Nanos deadline);

  unsigned short port_;
  std::string restart_;
  std::optional<Launch> killed_;
  std::vector<pid_t> stopped_;
};

}  // namespace consistory
