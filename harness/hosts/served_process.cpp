#include "harness/hosts/served_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/clock.h"
#include "base/descriptor.h"
#include "harness/processes/processes.h"

namespace consistory {
namespace {

namespace fs = std::filesystem;

constexpr Nanos kPatience = 5 * kSecond;

std::string target_of(const std::string& link) {
  std::error_code error;
  return fs::read_symlink(link, error).string();
}

/// The inodes of the sockets that listen on the port.
std::set<std::string> listening_sockets(unsigned short port) {
  constexpr std::string_view kListening = "0A";
  std::set<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the titles
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retries, user, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retries >> user >>
          timeout >> inode;
      const bool is_port = local.ends_with(fmt::format(":{:04X}", port));
      if (is_port && state == kListening) inodes.insert(fmt::format("socket:[{}]", inode));
    }
  }
  return inodes;
}

bool holds_one(pid_t process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", process), error)) {
    if (sockets.contains(target_of(entry.path()))) return true;
  }
  return false;
}

/// What a file of /proc holds, cut at its zero bytes.
std::vector<std::string> strings_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> all;
  for (std::string word; std::getline(file, word, '\0');) all.push_back(word);
  return all;
}

/// The numbers after "Uid:" or "Groups:".
std::vector<unsigned> numbers_of(pid_t process, const std::string& field) {
  std::ifstream file(fmt::format("/proc/{}/status", process));
  std::vector<unsigned> numbers;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field + ":")) continue;
    std::istringstream words(line.substr(field.size() + 1));
    for (unsigned number = 0; words >> number;) numbers.push_back(number);
  }
  return numbers;
}

/// A pipe or a terminal goes with who held its other end; a file can be opened again.
std::string file_or_nothing(const std::string& path) {
  struct stat status {};
  const bool regular = stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  return regular ? path : "/dev/null";
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void open_as(int number, const char* path, int flags) {
  const int opened = open(path, flags, 0644);
  if (opened >= 0 && opened != number) {
    dup2(opened, number);
    close(opened);
  }
}

void close_all_but(int kept) {
  for (int number = 3; number < 1024; ++number) {
    if (number != kept) close(number);
  }
}

/// In the new process; returns only if it failed, with errno.
void become(const Launch& launch, int report) {
  open_as(STDIN_FILENO, "/dev/null", O_RDONLY);
  open_as(STDOUT_FILENO, launch.output.c_str(), O_WRONLY | O_APPEND | O_CREAT);
  open_as(STDERR_FILENO, launch.errors.c_str(), O_WRONLY | O_APPEND | O_CREAT);
  close_all_but(report);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
  const rlimit limit{launch.open_files, launch.open_files};
  if (launch.open_files > 0) setrlimit(RLIMIT_NOFILE, &limit);
  const bool other_user = launch.user != geteuid() || launch.group != getegid();
  if (other_user && (setgroups(launch.groups.size(), launch.groups.data()) != 0 ||
                     setgid(launch.group) != 0 || setuid(launch.user) != 0))
    return;
  if (chdir(launch.directory.c_str()) != 0) return;
  execve(launch.program.c_str(), pointers_to(launch.arguments).data(),
         pointers_to(launch.environment).data());
}

}  // namespace

Result<Launch> Launch::of(pid_t process) {
  const std::string proc = fmt::format("/proc/{}/", process);
  Launch launch;
  launch.program = target_of(proc + "exe");
  launch.arguments = strings_of(proc + "cmdline");
  launch.environment = strings_of(proc + "environ");
  launch.directory = target_of(proc + "cwd");
  launch.output = file_or_nothing(target_of(proc + "fd/1"));
  launch.errors = file_or_nothing(target_of(proc + "fd/2"));
  const std::vector<unsigned> user = numbers_of(process, "Uid");
  const std::vector<unsigned> group = numbers_of(process, "Gid");
  const std::vector<unsigned> groups = numbers_of(process, "Groups");
  if (launch.program.empty() || launch.arguments.empty() || user.size() < 2 || group.size() < 2)
    return environment_error(fmt::format("process {} cannot be looked at", process));
  launch.user = user[1];
  launch.group = group[1];
  launch.groups.assign(groups.begin(), groups.end());
  rlimit limit{};
  if (prlimit(process, RLIMIT_NOFILE, nullptr, &limit) == 0) launch.open_files = limit.rlim_cur;
  return launch;
}

/// Two forks: the new process is nobody's child. The pipe closes as the program begins, or tells
/// why it did not.
Status Launch::start() const {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return environment_error("cannot make a pipe");
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() == 0) {
      become(*this, *writing);
      const int error = errno;
      static_cast<void>(!write(*writing, &error, sizeof error));
    }
    _exit(0);
  }
  writing.reset();
  waitpid(child, nullptr, 0);
  int error = child < 0 ? errno : 0;
  if (child >= 0 && read(*reading, &error, sizeof error) <= 0) return Done{};
  return environment_error(fmt::format("cannot start {}: {}", program, std::strerror(error)));
}

std::optional<pid_t> ServedProcess::find() const {
  const std::set<std::string> sockets = listening_sockets(port_);
  if (sockets.empty()) return std::nullopt;
  std::set<pid_t> holders;
  for (const pid_t process : all_processes()) {
    if (process != getpid() && holds_one(process, sockets)) holders.insert(process);
  }
  for (const pid_t holder : holders) {
    if (!holders.contains(parent_of(holder))) return holder;
  }
  return std::nullopt;
}

Result<std::string> ServedProcess::kill() {
  const std::optional<pid_t> main = find();
  if (!main) return std::string();
  Result<Launch> launch = Launch::of(*main);
  if (!launch) return launch.error();
  killed_ = std::move(*launch);
  const std::vector<pid_t> tree = process_tree(*main);
  for (const pid_t process : tree) ::kill(process, SIGKILL);
  const Nanos deadline = monotonic_now() + kPatience;
  for (const pid_t process : tree) {
    while (is_running(process) && monotonic_now() < deadline) pause_for(kMillisecond);
    if (is_running(process))
      return store_error(fmt::format("process {} did not end after SIGKILL", process));
  }
  std::erase_if(stopped_, [](pid_t process) { return !is_running(process); });
  return std::string("killed by signal 9");
}

Status ServedProcess::start() {
  if (find()) {  // a supervisor of its own did it
    killed_.reset();
    return Done{};
  }
  if (!restart_.empty()) {
    const Launch shell{"/bin/sh",
                       {"sh", "-c", restart_},
                       strings_of("/proc/self/environ"),
                       "/",
                       "/dev/null",
                       "/dev/null",
                       getuid(),
                       getgid(),
                       {},
                       0};
    killed_.reset();
    return shell.start();
  }
  if (!killed_) return store_error(fmt::format("nothing listens on port {}", port_));
  const Launch launch = *std::exchange(killed_, std::nullopt);
  return launch.start();
}

Result<std::string> ServedProcess::stop() {
  const std::optional<pid_t> main = find();
  if (!main) return std::string();
  stopped_ = process_tree(*main);
  for (const pid_t process : stopped_) ::kill(process, SIGSTOP);
  const Nanos deadline = monotonic_now() + kSecond;
  while (state_of(*main) != 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  if (state_of(*main) == 'T') return std::string("T (stopped)");
  return store_error(
      fmt::format("process {} is in state {} after SIGSTOP", *main, state_of(*main)));
}

void ServedProcess::go_on() {
  for (const pid_t process : std::exchange(stopped_, {})) ::kill(process, SIGCONT);
}

void ServedProcess::restore() {
  go_on();
  if (killed_) static_cast<void>(start());
}

}  // namespace consistory
