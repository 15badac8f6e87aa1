// Three processes: the one that was called stays outside, waits and passes signals on; one goes
// into the namespaces, but for the PID namespace, which only its children are in; the first of
// those goes on with the program.
#include "harness/sandbox/enter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/descriptor.h"
#include "harness/sandbox/network.h"

namespace consistory {
namespace {

/// What the inner processes tell the outer one: the pid of the first, or what went wrong.
struct Message {
  pid_t pid = 0;
  std::array<char, 240> failure{};
};

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return environment_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

void tell(const Descriptor& pipe, pid_t pid, const std::string& failure) {
  Message message{pid, {}};
  failure.copy(message.failure.data(), message.failure.size() - 1);
  (void)!::write(*pipe, &message, sizeof message);
}

std::string refused(std::string_view step) {
  return fmt::format("{}: {}", step, std::strerror(errno));
}

bool write_line(const char* path, const std::string& line) {
  std::ofstream file(path);
  file << line << std::flush;
  return file.good();
}

constexpr int kSpaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID;

/// As root without a user namespace, if root may; else as the root of one with a single user.
std::string leave_for_new_spaces() {
  if (unshare(kSpaces) == 0) return {};
  const std::string user = fmt::format("0 {} 1", geteuid()),
                    group = fmt::format("0 {} 1", getegid());
  if (unshare(kSpaces | CLONE_NEWUSER) != 0) return refused("user namespaces are refused");
  write_line("/proc/self/setgroups", "deny");
  const bool mapped =
      write_line("/proc/self/uid_map", user) && write_line("/proc/self/gid_map", group);
  return mapped ? std::string() : "the user of a user namespace cannot be mapped";
}

/// The mounts as before, but nothing done to them is seen outside; /proc tells of the new PIDs.
std::string settle_in() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return refused("mounts cannot be made private");
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    return refused("/proc cannot be mounted");
  return {};
}

std::atomic<pid_t> inner = 0;

extern "C" void pass_on(int number) {
  if (inner > 0) kill(inner, number);
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int await_end(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_of(status);
}

/// In the middle process; returns in the first of the PID namespace only.
void split_off(const Descriptor& report) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);  // a terminal's Ctrl-C reaches the outer process alone, which passes it on
  if (const std::string failure = leave_for_new_spaces(); !failure.empty()) {
    tell(report, 0, failure);
    _exit(69);
  }
  const pid_t first = fork();
  if (first > 0) {
    tell(report, first, "");
    _exit(await_end(first));
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string failure = first < 0 ? refused("cannot start a process") : settle_in();
  tell(report, 0, failure);
  if (!failure.empty()) _exit(69);
}

struct Told {
  pid_t pid = 0;
  std::string failure;
};

/// Both messages: of the middle process and of the first inside, in any order.
Told hear(const Descriptor& pipe) {
  Told told;
  for (int i = 0; i < 2 && told.failure.empty(); ++i) {
    Message message;
    if (::read(*pipe, &message, sizeof message) != static_cast<ssize_t>(sizeof message)) {
      told.failure = "the process ended while it entered the sandbox";
      break;
    }
    if (message.pid > 0) told.pid = message.pid;
    told.failure = message.failure.data();
  }
  return told;
}

/// Forks; true in the first process of the sandbox. In the caller `child` is the middle one, and
/// `told` what became of it.
Result<bool> fork_into(pid_t& child, Told& told) {
  Result<Pipe> report = make_pipe();
  if (!report) return report.error();
  child = fork();
  if (child < 0)
    return environment_error(fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (child == 0) {
    report->read.reset();
    split_off(report->write);
    return true;
  }
  report->write.reset();
  told = hear(report->read);
  return false;
}

}  // namespace

Status enter_sandbox() {
  pid_t child = 0;
  Told told;
  const Result<bool> inside = fork_into(child, told);
  if (!inside) return inside.error();
  if (*inside) return Done{};
  if (!told.failure.empty()) {
    await_end(child);
    return environment_error("no sandbox here: " + told.failure);
  }
  inner = told.pid;
  struct sigaction passing {};
  passing.sa_handler = pass_on;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &passing, nullptr);
  _exit(await_end(child));
}

Status probe_sandbox() {
  Result<Pipe> verdict = make_pipe();
  if (!verdict) return verdict.error();
  pid_t child = 0;
  Told told;
  const Result<bool> inside = fork_into(child, told);
  if (!inside) return inside.error();
  if (*inside) {
    const auto network = Network::create(1, Random(0));
    tell(verdict->write, 0, network ? "" : network.error().message);
    _exit(0);
  }
  verdict->write.reset();
  Message message;
  const bool answered = told.failure.empty() && ::read(*verdict->read, &message, sizeof message) ==
                                                    static_cast<ssize_t>(sizeof message);
  await_end(child);
  if (!told.failure.empty()) return environment_error("no sandbox here: " + told.failure);
  if (!answered) return environment_error("no sandbox here: it ended while it was tried out");
  if (message.failure[0] != '\0')
    return environment_error(std::string("no sandbox here: ") + message.failure.data());
  return Done{};
}

Status show_at(const std::string& directory, const std::string& place) {
  if (mount(directory.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) == 0) return Done{};
  return environment_error(
      fmt::format("{} cannot be shown at {}: {}", directory, place, std::strerror(errno)));
}

}  // namespace consistory
