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

bool same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// With the rights of the new process; what it may not open it does without.
void open_as(int number, const char* path, int flags) {
  int opened = open(path, flags, 0644);
  if (opened < 0) opened = open("/dev/null", O_RDWR);
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
  open_as(STDIN_FILENO, "/dev/null", O_RDONLY);
  open_as(STDOUT_FILENO, launch.output.c_str(), O_WRONLY | O_APPEND | O_CREAT);
  open_as(STDERR_FILENO, launch.errors.c_str(), O_WRONLY | O_APPEND | O_CREAT);
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

std::string Launch::doubt_about(pid_t process) {
  const std::string proc = fmt::format("/proc/{}/", process);
  const std::string program = target_of(proc + "exe");
  const std::vector<std::string> arguments = strings_of(proc + "cmdline");
  const bool titled = arguments.size() == 1 && arguments[0].find(' ') != std::string::npos;
  if (titled) return fmt::format("it shows \"{}\" in place of its arguments", arguments[0]);
  if (program.ends_with("(deleted)")) return "its program was replaced: " + program;
  const bool other_root = !same_file(proc + "root/.", "/");
  if (other_root || target_of(proc + "ns/pid") != target_of("/proc/self/ns/pid"))
    return "it runs in a container";
  std::ifstream groups(proc + "cgroup"), own_groups("/proc/self/cgroup");
  std::string group, own;
  while (std::getline(groups, group) && std::getline(own_groups, own)) {
    if (group != own && group.ends_with(".service"))
      return "it is a service: " + group.substr(group.rfind('/') + 1);
  }
  return {};
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

Result<std::optional<pid_t>> ServedProcess::find() const {
  const std::set<std::string> sockets = listening_sockets(port_);
  if (sockets.empty()) return std::optional<pid_t>();
  std::set<pid_t> holders;
  for (const pid_t process : all_processes()) {
    if (process != getpid() && holds_one(process, sockets)) holders.insert(process);
  }
  std::vector<pid_t> roots;
  for (const pid_t holder : holders) {
    if (!holders.contains(parent_of(holder))) roots.push_back(holder);
  }
  if (roots.empty()) return std::optional<pid_t>();
  if (roots.size() > 1)
    return store_error(fmt::format("{} and {} both listen on port {}: which is the node?", roots[0],
                                   roots[1], port_));
  const std::vector<pid_t> tree = process_tree(roots[0]);
  if (roots[0] == 1 || std::find(tree.begin(), tree.end(), getpid()) != tree.end())
    return store_error(
        fmt::format("port {} is held by process {}, which may not be broken", port_, roots[0]));
  return std::optional(roots[0]);
}

Result<std::string> ServedProcess::kill() {
  const Result<std::optional<pid_t>> main = find();
  if (!main) return main.error();
  if (!*main) return std::string();
  Result<Launch> launch = Launch::of(**main);
  if (!launch) return launch.error();
  const std::set<std::string> sockets = listening_sockets(port_);
  const Nanos deadline = monotonic_now() + kPatience;
  killed_ = std::move(*launch);
  if (Status ended = end(process_tree(**main), deadline); !ended) return ended.error();
  // A child that was born meanwhile is nobody's now, but it holds the socket.
  for (const pid_t process : all_processes()) {
    if (process == getpid() || !holds_one(process, sockets)) continue;
    if (Status ended = end({process}, deadline); !ended) return ended.error();
  }
  std::erase_if(stopped_, [](pid_t process) { return !is_running(process); });
  return std::string("killed by signal 9");
}

Status ServedProcess::end(const std::vector<pid_t>& tree, Nanos deadline) {
  for (const pid_t process : tree) ::kill(process, SIGKILL);
  for (const pid_t process : tree) {
    while (is_running(process) && monotonic_now() < deadline) pause_for(kMillisecond);
    if (is_running(process))
      return store_error(fmt::format("process {} did not end after SIGKILL", process));
  }
  return Done{};
}

Status ServedProcess::start() {
  const Result<std::optional<pid_t>> runs = find();
  if (!runs) return runs.error();
  if (*runs) {  // a supervisor of its own did it
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
  const Result<std::optional<pid_t>> found = find();
  if (!found) return found.error();
  if (!*found) return std::string();
  const pid_t main = **found;
  stopped_ = process_tree(main);
  for (const pid_t process : stopped_) ::kill(process, SIGSTOP);
  const Nanos deadline = monotonic_now() + kSecond;
  while (state_of(main) != 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  if (state_of(main) == 'T') return std::string("T (stopped)");
  return store_error(fmt::format("process {} is in state {} after SIGSTOP", main, state_of(main)));
}

void ServedProcess::go_on() {
  for (const pid_t process : std::exchange(stopped_, {})) ::kill(process, SIGCONT);
}

void ServedProcess::restore() {
  go_on();
  if (killed_) static_cast<void>(start());
}

}  // namespace consistory
