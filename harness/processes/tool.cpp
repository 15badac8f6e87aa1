#include "harness/processes/tool.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <boost/process.hpp>
#include <boost/process/extend.hpp>

#include <thread>

namespace consistory {
namespace {

namespace bp = boost::process;

/// Runs in the child between fork and exec.
struct Enter : bp::extend::handler {
  int space = -1;
  explicit Enter(int network_space) : space(network_space) {}

  template <class Executor>
  void on_exec_setup(Executor&) const {
    if (space >= 0 && setns(space, CLONE_NEWNET) != 0) _exit(126);
  }
};

/// PATH of an ordinary user leaves out where the system's own tools are.
boost::filesystem::path find(const std::string& program) {
  boost::filesystem::path found = bp::search_path(program);
  for (const char* place : {"/usr/sbin/", "/sbin/"}) {
    if (found.empty() && access((place + program).c_str(), X_OK) == 0) found = place + program;
  }
  return found;
}

/// All of it, with its lines joined by `between`.
std::string read_all(std::istream& stream, const std::string& between) {
  std::string all;
  for (std::string line; std::getline(stream, line);) all += (all.empty() ? "" : between) + line;
  return all;
}

}  // namespace

Result<std::string> run_tool(const Tool& tool, const std::string& input) {
  const boost::filesystem::path program = find(tool.program);
  if (program.empty())
    return environment_error(
        fmt::format("{} is missing: apt-get install {}", tool.program, tool.package));
  std::error_code error;
  bp::opstream in;
  bp::ipstream out, err;
  bp::child child(bp::exe = program, bp::args = tool.arguments, bp::std_in<in, bp::std_out> out,
                  bp::std_err > err, Enter{tool.network_space}, error);
  if (error)
    return environment_error(fmt::format("cannot start {}: {}", tool.program, error.message()));
  in << input << std::flush;
  in.pipe().close();
  std::string output;
  std::thread reader([&] { output = read_all(out, "\n"); });
  const std::string said = read_all(err, "; ");
  reader.join();
  child.wait(error);
  if (!error && child.exit_code() == 0) return output;
  return environment_error(fmt::format("{} says: {}", tool.program, said));
}

}  // namespace consistory
