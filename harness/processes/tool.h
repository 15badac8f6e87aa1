#pragma once
// Tools of the system (ip, nft), run to their end.

#include <string>
#include <vector>

#include "base/result.h"

namespace consistory {

struct Tool {
  std::string program;                 ///< its name; looked for in PATH, /usr/sbin and /sbin
  std::string package;                 ///< of Debian, to name where it is missing
  std::vector<std::string> arguments;  ///< it reads its commands from standard input
  int network_space = -1;  ///< the network namespace to run in, as a descriptor; -1: ours
};

/// Gives the tool its input; returns its standard output. An environment error if it is missing or
/// fails, with what it said. Blocks until it ends.
Result<std::string> run_tool(const Tool& tool, const std::string& input);

}  // namespace consistory
