#include "harness/processes/processes.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>

namespace consistory {
namespace {

/// What follows the name, which may hold anything: state, parent, …; empty if the process is gone.
std::string stat_after_name(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(") ");
  return end == std::string::npos ? std::string() : line.substr(end + 2);
}

}  // namespace

std::vector<pid_t> all_processes() {
  std::vector<pid_t> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (status == std::errc{} && end == name.data() + name.size()) all.push_back(pid);
  }
  return all;
}

std::vector<pid_t> process_tree(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : all_processes()) children.emplace(parent_of(pid), pid);
  std::vector<pid_t> tree = {root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) tree.push_back(child->second);
  }
  return tree;
}

pid_t parent_of(pid_t process) {
  const std::string stat = stat_after_name(process);
  pid_t parent = 0;
  if (stat.size() > 2) std::from_chars(stat.data() + 2, stat.data() + stat.size(), parent);
  return parent;
}

char state_of(pid_t process) {
  const std::string stat = stat_after_name(process);
  return stat.empty() ? '?' : stat.front();
}

}  // namespace consistory
