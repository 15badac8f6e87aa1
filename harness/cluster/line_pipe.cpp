#include "harness/cluster/line_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace consistory {
namespace {

/// Until the descriptor is ready or the deadline is near.
bool wait_for(const Descriptor& descriptor, short events, Nanos left) {
  pollfd poller{*descriptor, events, 0};
  return poll(&poller, 1, static_cast<int>(left / kMillisecond) + 1) >= 0 || errno == EINTR;
}

}  // namespace

LinePipe::LinePipe(Descriptor input, Descriptor output)
    : input_(std::move(input)), output_(std::move(output)) {
  signal(SIGPIPE, SIG_IGN);  // a child that has ended is told by write()
  for (const Descriptor* end : {&input_, &output_})
    fcntl(**end, F_SETFL, fcntl(**end, F_GETFL) | O_NONBLOCK);
}

bool LinePipe::send(std::string_view bytes, Nanos deadline) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(*input_, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    const bool full = errno == EAGAIN;
    const Nanos left = deadline - monotonic_now();
    if (full && left > 0 && wait_for(input_, POLLOUT, left)) continue;
    trouble_ = full ? "timeout" : "died";
    return false;
  }
  return true;
}

std::optional<std::string> LinePipe::receive_line(Nanos deadline) {
  for (;;) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > kLineBytesMax) {
      trouble_ = "answer-too-long";
      return std::nullopt;
    }
    std::array<char, 16384> some{};
    const ssize_t count = ::read(*output_, some.data(), some.size());
    if (count > 0) {
      received_.append(some.data(), static_cast<std::size_t>(count));
      continue;
    }
    const Nanos left = deadline - monotonic_now();
    trouble_ = count == 0 || errno != EAGAIN ? "died" : "timeout";
    if (trouble_ == "died" || left <= 0) return std::nullopt;
    wait_for(output_, POLLIN, left);
  }
}

}  // namespace consistory
