#include "harness/stores/text_exchange.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace consistory {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 << 10;

bool wait_for(const Descriptor& socket, short events, Nanos deadline) {
  const Nanos left = deadline - monotonic_now();
  pollfd poller{*socket, events, 0};
  return left > 0 && poll(&poller, 1, static_cast<int>(left / kMillisecond) + 1) > 0;
}

}  // namespace

Descriptor connect_to(const Endpoint& node, Nanos deadline) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(node.host.c_str(), std::to_string(node.port).c_str(), &hints, &found) != 0)
    return {};
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool at_once = connect(*socket, found->ai_addr, found->ai_addrlen) == 0;
  const bool begun = at_once || errno == EINPROGRESS;
  freeaddrinfo(found);
  int error = 0;
  socklen_t size = sizeof error;
  const bool there = begun && (at_once || wait_for(socket, POLLOUT, deadline)) &&
                     getsockopt(*socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  return there ? std::move(socket) : Descriptor();
}

std::string exchange_text(const Endpoint& node, const std::string& question, Nanos timeout) {
  const Nanos deadline = monotonic_now() + timeout;
  const Descriptor socket = connect_to(node, deadline);
  if (!socket || send(*socket, question.data(), question.size(), MSG_NOSIGNAL) !=
                     static_cast<ssize_t>(question.size()))
    return {};
  std::string answer;
  std::array<char, 4096> some{};
  while (answer.size() < kAnswerBytesMax && wait_for(socket, POLLIN, deadline)) {
    const ssize_t count = recv(*socket, some.data(), some.size(), 0);
    if (count == 0) return answer;
    if (count < 0) break;
    answer.append(some.data(), static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace consistory
