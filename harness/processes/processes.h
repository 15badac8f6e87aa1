#pragma once
// What /proc tells of processes of this machine.

#include <sys/types.h>

#include <string>
#include <vector>

namespace consistory {

/// Every process there is, as far as this process may see.
std::vector<pid_t> all_processes();
/// The process, its children, theirs, and so on.
std::vector<pid_t> process_tree(pid_t root);
/// 0: the process is gone.
pid_t parent_of(pid_t process);
/// The state letter ("R", "S", "T", "Z"…); '?' if the process is gone.
char state_of(pid_t process);
/// A zombie runs no more.
inline bool is_running(pid_t process) {
  const char state = state_of(process);
  return state != '?' && state != 'Z' && state != 'X';
}

}  // namespace consistory
