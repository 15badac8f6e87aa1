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

bool TextConnection::open(const Endpoint& node, Nanos deadline) {
  received_.clear();
  socket_ = connect_to(node, deadline);
  return is_open();
}

void TextConnection::close() {
  socket_.reset();
  received_.clear();
}

bool TextConnection::send(const std::string& text, Nanos deadline) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(*socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno != EAGAIN || !wait_for(socket_, POLLOUT, deadline)) {
      close();
      return false;
    }
  }
  return true;
}

bool TextConnection::receive_more(Nanos deadline) {
  std::array<char, 16384> some{};
  const bool ready = wait_for(socket_, POLLIN, deadline);
  const ssize_t count = ready ? recv(*socket_, some.data(), some.size(), 0) : -1;
  if (count <= 0 || received_.size() > kBytesMax) {
    close();
    return false;
  }
  received_.append(some.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> TextConnection::receive_line(Nanos deadline) {
  for (;;) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (!receive_more(deadline)) return std::nullopt;
  }
}

std::optional<std::string> TextConnection::receive_json(Nanos deadline) {
  std::size_t at = 0;
  int depth = 0;
  bool quoted = false, escaped = false;
  for (;; ++at) {
    while (at >= received_.size()) {
      if (!receive_more(deadline)) return std::nullopt;
    }
    const char c = received_[at];
    if (quoted) {
      if (!escaped && c == '"') quoted = false;
      escaped = !escaped && c == '\\';
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) {
      std::string document = received_.substr(0, at + 1);
      received_.erase(0, at + 1);
      return document;
    }
  }
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
