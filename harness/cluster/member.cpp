#include "harness/cluster/member.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "base/escape.h"
#include "harness/clocks/process_clock.h"

namespace consistory {
namespace {

constexpr Nanos kEndTimeout = 5 * kSecond;
constexpr Nanos kPreparationTimeout = 60 * kSecond;

Status make(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) return Done{};
  return environment_error(fmt::format("cannot create {}: {}", directory, error.message()));
}

/// A zombie runs no more.
bool is_running(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(") ");
  return end != std::string::npos && end + 2 < line.size() && line[end + 2] != 'Z';
}

}  // namespace

Member::~Member() {
  if (!processes_.empty()) static_cast<void>(kill());
}

std::string Member::log_path() const { return fmt::format("{}/{}.log", log_directory_, name()); }

std::string Member::last_words() const {
  std::ifstream log(log_path());
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return shorten(escape_terminal(last), 200);
}

Status Member::make_directory(bool own_disk) {
  if (Status made = make(layout_.data_directory); !made) return made;
  if (!own_disk) return Done{};
  const std::string backing = layout_.data_directory + ".disk";
  if (Status made = make(backing); !made) return made;
  const auto crash = [this](pid_t writer) {
    const pid_t group = group_;
    if (group > 0) ::kill(-group, SIGKILL);
    if (writer > 1) ::kill(writer, SIGKILL);  // a child may have left the group
  };
  auto disk = FaultyDisk::mount(backing, layout_.data_directory, crash);
  if (!disk) return disk.error();
  disk_ = std::move(*disk);
  return Done{};
}

Status Member::prepare() {
  for (Command& command : store_.preparation(layout_)) {
    command.network_space = network_space_;
    Result<ChildProcess> process = ChildProcess::spawn(command, log_path());
    if (!process) return process.error();
    const auto status = process->wait(monotonic_now() + kPreparationTimeout);
    if (status && *status == 0) continue;
    return store_error(fmt::format(
        "preparing node {}: {} {}: {} (log: {})", name(), command.program,
        status ? describe_end(*status) : "did not end in a minute", last_words(), log_path()));
  }
  return Done{};
}

Status Member::spawn() {
  for (Command& command : store_.processes(layout_)) {
    command.network_space = network_space_;
    Result<ChildProcess> process = ChildProcess::spawn(command, log_path());
    if (!process) return process.error();
    if (processes_.empty()) group_ = process->pid();
    processes_.push_back(std::move(*process));
  }
  return Done{};
}

std::optional<std::string> Member::end() {
  for (ChildProcess& process : processes_) {
    if (const auto status = process.wait(0)) return describe_end(*status);
  }
  return std::nullopt;
}

/// Children that left the group of their parent are found before it ends: after, nobody knows whose
/// they were.
Result<std::string> Member::kill() {
  const std::vector<pid_t> all = pids();
  for (const ChildProcess& process : processes_) process.signal(SIGKILL);
  for (std::size_t i = 1; i < all.size(); ++i) ::kill(all[i], SIGKILL);
  std::string how;
  for (ChildProcess& process : processes_) {
    const auto status = process.wait(monotonic_now() + kEndTimeout);
    if (!status) return store_error(fmt::format("node {} did not end after SIGKILL", name()));
    if (how.empty()) how = describe_end(*status);
  }
  processes_.clear();
  group_ = 0;
  // Children are reaped by others; until they are gone they may write, or hold the store's locks.
  const Nanos deadline = monotonic_now() + kEndTimeout;
  for (const pid_t pid : all) {
    while (is_running(pid) && monotonic_now() < deadline) pause_for(kMillisecond);
  }
  return how;
}

void Member::signal(int number) {
  for (const ChildProcess& process : processes_) process.signal(number);
  const std::vector<pid_t> all = pids();
  for (std::size_t i = 1; i < all.size(); ++i) ::kill(all[i], number);
}

std::vector<pid_t> Member::pids() const {
  std::vector<pid_t> all;
  for (const ChildProcess& process : processes_) {
    const std::vector<pid_t> tree = process_tree(process.pid());
    all.insert(all.end(), tree.begin(), tree.end());
  }
  return all;
}

}  // namespace consistory
