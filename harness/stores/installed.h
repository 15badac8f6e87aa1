#pragma once
// What a store needs on this machine, and under which user its servers run.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "harness/cluster/child_process.h"

namespace consistory {

/// A program and the Debian package that has it.
struct Program {
  std::string_view name;  ///< looked for in PATH and the usual places; or an absolute path
  std::string_view package;
};

/// Its path; empty if it is nowhere.
std::string find_program(std::string_view name);

/// The packages of those that are missing.
std::vector<std::string> missing_packages(const std::vector<Program>& programs);

/// The same command for a server that refuses to run as root: as `user` where we are the machine's
/// root, else in a user namespace in which it is nobody special.
Command as_ordinary_user(Command command, const std::string& user);

/// Ours alone, however many users the namespace that we are root of has.
bool is_real_root();

}  // namespace consistory
