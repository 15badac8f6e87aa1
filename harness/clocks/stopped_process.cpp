#include "harness/clocks/stopped_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/clock.h"

namespace consistory {
namespace {

constexpr Nanos kStopTimeout = 2 * kSecond;
constexpr Nanos kStopPoll = 20'000;
constexpr std::uint64_t kRedZone =
    128;  // below the stack pointer, where a function may keep things

/// Looks before it takes: the end of the process is for whoever started it to hear of.
bool wait_for_stop(pid_t thread, int& status) {
  const Nanos deadline = monotonic_now() + kStopTimeout;
  while (monotonic_now() < deadline) {
    siginfo_t seen{};
    const int kinds = WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL;
    if (waitid(P_PID, static_cast<id_t>(thread), &seen, kinds) != 0) return false;
    const bool has_ended =
        seen.si_code == CLD_EXITED || seen.si_code == CLD_KILLED || seen.si_code == CLD_DUMPED;
    if (seen.si_pid != 0 && has_ended) return false;
    if (seen.si_pid != 0) return waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status);
    pause_for(kStopPoll);
  }
  return false;
}

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code error;
  const std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid), error);
  for (const auto& task : tasks) {
    const std::string name = task.path().filename();
    pid_t thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    threads.push_back(thread);
  }
  return threads;
}

/// Other stops may come first: of our own interrupt, or for a signal that was under way before.
bool run_to_trap(pid_t thread) {
  constexpr int kStopsMax = 8;
  for (int stops = 0; stops < kStopsMax; ++stops) {
    int status = 0;
    if (ptrace(PTRACE_CONT, thread, nullptr, nullptr) != 0 || !wait_for_stop(thread, status))
      return false;
    if (status >> 16 == 0 && WSTOPSIG(status) == SIGTRAP) return true;
  }
  return false;
}

}  // namespace

Result<StoppedProcess> StoppedProcess::stop(pid_t pid) {
  Descriptor memory(open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR | O_CLOEXEC));
  if (*memory < 0) {
    return environment_error(
        fmt::format("the memory of process {} cannot be opened: {}", pid, std::strerror(errno)));
  }
  StoppedProcess stopped(pid, std::move(memory));
  for (bool found = true; found;) {  // a thread that ran may have started others
    if (!stopped.seize_new_threads(found)) {
      return environment_error(
          fmt::format("process {} cannot be traced: {}", pid, std::strerror(errno)));
    }
  }
  if (stopped.threads_.empty()) return environment_error(fmt::format("process {} is gone", pid));
  return stopped;
}

/// False, with errno, if one refuses; one that has ended meanwhile is no matter.
bool StoppedProcess::seize_new_threads(bool& found) {
  found = false;
  for (const pid_t thread : threads_of(pid_)) {
    const auto is_it = [&](const Thread& known) { return known.id == thread; };
    if (std::any_of(threads_.begin(), threads_.end(), is_it)) continue;
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
      if (errno == ESRCH) continue;
      return false;
    }
    int status = 0;
    if (ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0 || !wait_for_stop(thread, status)) {
      ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
      continue;
    }
    const bool for_us = status >> 16 == PTRACE_EVENT_STOP;
    threads_.push_back({thread, for_us ? 0 : WSTOPSIG(status)});
    found = true;
  }
  return true;
}

StoppedProcess::~StoppedProcess() {
  for (const Thread& thread : threads_) {
    if (ptrace(PTRACE_DETACH, thread.id, nullptr, thread.signal) == 0 || thread.id == pid_)
      continue;
    waitpid(thread.id, nullptr, __WALL | WNOHANG);  // it ended: nobody else would take it away
  }
}

bool StoppedProcess::read(std::uint64_t address, std::span<std::byte> into) const {
  return pread(*memory_, into.data(), into.size(), static_cast<off_t>(address)) ==
         static_cast<ssize_t>(into.size());
}

bool StoppedProcess::write(std::uint64_t address, std::span<const std::byte> bytes) const {
  return pwrite(*memory_, bytes.data(), bytes.size(), static_cast<off_t>(address)) ==
         static_cast<ssize_t>(bytes.size());
}

#if defined(__x86_64__)

bool StoppedProcess::runs_in(std::uint64_t begin, std::uint64_t end) const {
  return std::any_of(threads_.begin(), threads_.end(), [&](const Thread& thread) {
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, thread.id, nullptr, &registers) != 0) return false;
    return registers.rip >= begin && registers.rip < end;
  });
}

/// A thread that was stopped within a system call has it restarted once its registers are back, as
/// after any stop; with orig_rax = -1 the kernel does not take the call for one.
bool StoppedProcess::call(std::uint64_t function, std::uint64_t first, std::uint64_t trap,
                          std::span<std::byte> result) {
  user_regs_struct before{};
  std::uint64_t mask = 0;
  const auto mask_size = reinterpret_cast<void*>(sizeof mask);
  if (ptrace(PTRACE_GETREGS, pid_, nullptr, &before) != 0) return false;
  if (ptrace(PTRACE_GETSIGMASK, pid_, mask_size, &mask) != 0) return false;
  user_regs_struct during = before;
  const std::uint64_t second = (before.rsp - kRedZone - result.size()) & ~std::uint64_t{15};
  during.rsp = second - sizeof trap;
  during.rip = function;
  during.rdi = first;
  during.rsi = second;
  during.rax = 0;
  during.orig_rax = ~std::uint64_t{0};
  std::uint64_t only_traps = ~(std::uint64_t{1} << (SIGTRAP - 1));
  const bool came_back = write(during.rsp, std::as_bytes(std::span(&trap, 1))) &&
                         ptrace(PTRACE_SETSIGMASK, pid_, mask_size, &only_traps) == 0 &&
                         ptrace(PTRACE_SETREGS, pid_, nullptr, &during) == 0 && run_to_trap(pid_);
  const bool told = came_back && read(second, result);
  ptrace(PTRACE_SETREGS, pid_, nullptr, &before);
  ptrace(PTRACE_SETSIGMASK, pid_, mask_size, &mask);
  return told;
}

#else

bool StoppedProcess::runs_in(std::uint64_t, std::uint64_t) const { return false; }
bool StoppedProcess::call(std::uint64_t, std::uint64_t, std::uint64_t, std::span<std::byte>) {
  return false;
}

#endif

}  // namespace consistory
