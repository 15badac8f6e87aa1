#include "harness/stores/installed.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

namespace consistory {

std::string find_program(std::string_view name) {
  const auto is_there = [](const std::string& path) { return access(path.c_str(), R_OK) == 0; };
  if (name.find('/') != std::string_view::npos)
    return is_there(std::string(name)) ? std::string(name) : std::string();
  const char* variable = std::getenv("PATH");
  std::string places =
      std::string(variable != nullptr ? variable : "") + ":/usr/sbin:/sbin:/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= places.size();) {
    const std::size_t end = std::min(places.find(':', begin), places.size());
    const std::string path = places.substr(begin, end - begin) + "/" + std::string(name);
    if (end > begin && is_there(path)) return path;
    begin = end + 1;
  }
  return {};
}

std::vector<std::string> missing_packages(const std::vector<Program>& programs) {
  std::vector<std::string> missing;
  for (const Program& program : programs) {
    const bool is_known =
        std::find(missing.begin(), missing.end(), program.package) != missing.end();
    if (find_program(program.name).empty() && !is_known) missing.emplace_back(program.package);
  }
  return missing;
}

bool is_real_root() {
  if (geteuid() != 0) return false;
  std::ifstream map("/proc/self/uid_map");
  unsigned long inside = 0, outside = 0, count = 0;
  map >> inside >> outside >> count;
  return count > 1;
}

Command as_ordinary_user(Command command, const std::string& user) {
  std::vector<std::string> words;
  if (is_real_root()) {
    words = {"--reuid=" + user, "--regid=" + user, "--init-groups", command.program};
    command.program = find_program("setpriv");
  } else if (geteuid() == 0) {
    words = {"--user", "--map-user=1000", "--map-group=1000", command.program};
    command.program = find_program("unshare");
  } else {
    return command;
  }
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  command.arguments = std::move(words);
  return command;
}

}  // namespace consistory
