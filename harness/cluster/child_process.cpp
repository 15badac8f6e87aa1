#include "harness/cluster/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>

#include <boost/process.hpp>
#include <boost/process/extend.hpp>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "harness/processes/processes.h"

namespace consistory {
namespace {

namespace bp = boost::process;

/// Runs in the child between fork and exec: system calls only.
struct Isolate : bp::extend::handler {
  int network_space = -1;

  explicit Isolate(int space) : network_space(space) {}

  template <class Executor>
  void on_exec_setup(Executor&) const {
    if (network_space >= 0 && setns(network_space, CLONE_NEWNET) != 0) _exit(126);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  }
};

/// The one thread that forks. It lives until the program ends.
class SpawnThread {
 public:
  static SpawnThread& instance() {
    static SpawnThread thread;
    return thread;
  }

  Result<pid_t> run(const std::function<Result<pid_t>()>& task) {
    std::packaged_task<Result<pid_t>()> packaged(task);
    std::future<Result<pid_t>> result = packaged.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(packaged));
    }
    wake_.notify_one();
    return result.get();
  }

 private:
  SpawnThread() : thread_([this](const std::stop_token& stop) { loop(stop); }) {}

  void loop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
      std::packaged_task<Result<pid_t>()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::packaged_task<Result<pid_t>()>> tasks_;
  std::jthread thread_;
};

/// Its ends of the pipes to and from us; none: it has none.
struct Pipes {
  int input = -1;
  int output = -1;
};

Result<pid_t> spawn_here(const Command& command, const std::string& log_path, const Pipes& pipes) {
  std::FILE* log = std::fopen(log_path.c_str(), "ae");
  if (log == nullptr) {
    return environment_error(fmt::format("cannot write {}: {}", log_path, std::strerror(errno)));
  }
  std::error_code error;
  bp::environment environment = boost::this_process::environment();
  for (const auto& [variable, value] : command.environment) environment[variable] = value;
  const Isolate isolate{command.network_space};
  bp::child child =
      pipes.input < 0
          ? bp::child(bp::exe = command.program, bp::args = command.arguments, environment,
                      bp::std_in<bp::null, (bp::std_out & bp::std_err)> log, isolate, error)
          : bp::child(bp::exe = command.program, bp::args = command.arguments, environment,
                      bp::posix::fd.bind(STDIN_FILENO, pipes.input),
                      bp::posix::fd.bind(STDOUT_FILENO, pipes.output), bp::std_err > log, isolate,
                      error);
  std::fclose(log);
  if (error)
    return environment_error(fmt::format("cannot start {}: {}", command.program, error.message()));
  const pid_t pid = child.id();
  child.detach();  // from here on the group is ours to signal and to reap
  setpgid(pid, pid);
  return pid;
}

}  // namespace

Result<ChildProcess> ChildProcess::spawn(const Command& command, const std::string& log_path) {
  Result<pid_t> pid =
      SpawnThread::instance().run([&] { return spawn_here(command, log_path, {}); });
  if (!pid) return pid.error();
  return ChildProcess(*pid);
}

Result<ChildProcess> ChildProcess::spawn_piped(const Command& command, const std::string& log_path,
                                               Descriptor& input, Descriptor& output) {
  std::array<int, 2> to{}, from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0)
    return environment_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const Descriptor its_input(to[0]);
  input = Descriptor(to[1]);
  if (pipe2(from.data(), O_CLOEXEC) != 0)
    return environment_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const Descriptor its_output(from[1]);
  output = Descriptor(from[0]);
  Result<pid_t> pid = SpawnThread::instance().run([&] {
    return spawn_here(command, log_path, {*its_input, *its_output});
  });
  if (!pid) return pid.error();
  return ChildProcess(*pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    status_ = other.status_;
  }
  return *this;
}

ChildProcess::~ChildProcess() { end(); }

void ChildProcess::end() {
  if (pid_ < 0 || status_) return;
  signal(SIGKILL);
  wait(monotonic_now() + 5 * kSecond);
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0 && !status_) ::kill(-pid_, number);
}

std::optional<int> ChildProcess::wait(Nanos deadline) {
  if (status_ || pid_ < 0) return status_;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  for (;;) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = status;
      break;
    }
    const Nanos left = deadline - monotonic_now();
    if (left <= 0) break;
    pollfd poller{handle, POLLIN, 0};
    poll(&poller, handle >= 0 ? 1 : 0, handle >= 0 ? static_cast<int>(left / kMillisecond) + 1 : 5);
  }
  if (handle >= 0) close(handle);
  return status_;
}

char ChildProcess::state() const { return state_of(pid_); }

std::string own_executable() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return {path.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

std::string describe_end(int wait_status) {
  if (WIFSIGNALED(wait_status)) return fmt::format("killed by signal {}", WTERMSIG(wait_status));
  return fmt::format("exited with {}", WEXITSTATUS(wait_status));
}

}  // namespace consistory
