#pragma once
// The sandbox: this process goes on in user, network, mount and PID namespaces of its own, as root
// or as an ordinary user alike. All that it then starts or makes is in there, and goes when it
// ends, even by SIGKILL: the kernel ends every process of a PID namespace with its first.

#include <string>

#include "base/result.h"

namespace consistory {

/// Returns in a new process, the first of its PID namespace, with a fresh /proc and an empty
/// network namespace; the process that called waits for it, passes SIGINT, SIGTERM and SIGHUP on,
/// and ends as it ends. Call while there is a single thread. An environment error, in the process
/// that called, if the machine refuses: it says which step and why, and nothing has changed.
Status enter_sandbox();

/// Would enter_sandbox() and a network in it work? Tried out in a process that ends at once.
Status probe_sandbox();

/// Inside: the directory can be reached at `place` too, which must exist, by every user whatever
/// lies above the directory. What was at `place` is hidden, in the sandbox only.
Status show_at(const std::string& directory, const std::string& place);

}  // namespace consistory
