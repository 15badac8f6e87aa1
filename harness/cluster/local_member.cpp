#include "harness/cluster/local_member.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "base/escape.h"
#include "harness/processes/processes.h"

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

}  // namespace

LocalMember::~LocalMember() {
  if (!processes_.empty()) static_cast<void>(kill());
}

std::string LocalMember::log_path() const {
  return fmt::format("{}/{}.log", log_directory_, name());
}

std::string LocalMember::last_words() const {
  std::ifstream log(log_path());
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return fmt::format("{} (log: {})", shorten(escape_terminal(last), 200), log_path());
}

Status LocalMember::make_directory(bool own_disk) {
  if (Status made = make(layout().data_directory); !made) return made;
  if (!own_disk) return Done{};
  const std::string backing = layout().data_directory + ".disk";
  if (Status made = make(backing); !made) return made;
  const auto crash = [this](pid_t writer) {
    const pid_t group = group_;
    if (group > 0) ::kill(-group, SIGKILL);
    if (writer > 1) ::kill(writer, SIGKILL);  // a child may have left the group
  };
  auto disk = FaultyDisk::mount(backing, layout().data_directory, crash);
  if (!disk) return disk.error();
  disk_ = std::move(*disk);
  return Done{};
}

Status LocalMember::prepare() {
  for (Command& command : store_.preparation(layout())) {
    command.network_space = network_space_;
    Result<ChildProcess> process = ChildProcess::spawn(command, log_path());
    if (!process) return process.error();
    const auto status = process->wait(monotonic_now() + kPreparationTimeout);
    if (status && *status == 0) continue;
    return store_error(fmt::format("preparing node {}: {} {}: {}", name(), command.program,
                                   status ? describe_end(*status) : "did not end in a minute",
                                   last_words()));
  }
  return Done{};
}

Status LocalMember::spawn() {
  for (Command& command : store_.processes(layout())) {
    command.network_space = network_space_;
    Result<ChildProcess> process = ChildProcess::spawn(command, log_path());
    if (!process) return process.error();
    if (processes_.empty()) group_ = process->pid();
    processes_.push_back(std::move(*process));
  }
  return Done{};
}

std::optional<std::string> LocalMember::end() {
  for (ChildProcess& process : processes_) {
    if (const auto status = process.wait(0)) return describe_end(*status);
  }
  return std::nullopt;
}

/// Children that left the group of their parent are found before it ends: after, nobody knows whose
/// they were.
Result<std::string> LocalMember::kill() {
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

void LocalMember::signal(int number) {
  for (const ChildProcess& process : processes_) process.signal(number);
  const std::vector<pid_t> all = pids();
  for (std::size_t i = 1; i < all.size(); ++i) ::kill(all[i], number);
}

Result<std::string> LocalMember::stop() {
  signal(SIGSTOP);
  const ChildProcess& main = processes_.front();
  const Nanos deadline = monotonic_now() + kSecond;
  while (main.state() != 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  const char state = main.state();
  if (state == 'T') return std::string("T (stopped)");
  return store_error(fmt::format("node {} is in state {} after SIGSTOP", name(), state));
}

Status LocalMember::go_on() {
  if (processes_.empty()) return Done{};  // it was killed meanwhile
  signal(SIGCONT);
  const ChildProcess& main = processes_.front();
  const Nanos deadline = monotonic_now() + kSecond;
  while (main.state() == 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  if (main.state() != 'T') return Done{};
  return store_error(fmt::format("node {} is stopped still after SIGCONT", name()));
}

std::vector<pid_t> LocalMember::pids() const {
  std::vector<pid_t> all;
  for (const ChildProcess& process : processes_) {
    const std::vector<pid_t> tree = process_tree(process.pid());
    all.insert(all.end(), tree.begin(), tree.end());
  }
  return all;
}

}  // namespace consistory
