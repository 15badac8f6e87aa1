// HttpLoop against a server that misbehaves: what was sent is sent once, and only what was provably
// not sent is called unsent.
#include "harness/cluster/http_loop.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "harness/cluster/relay.h"

namespace consistory {
namespace {

/// Answers the first request of each connection, then reads the second and hangs up on it.
class HangUpServer {
 public:
  HangUpServer() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 16);
    socklen_t length = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~HangUpServer() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/op"; }
  int bodies() const { return bodies_; }

 private:
  bool readable(int file, const std::stop_token& stop) const {
    pollfd poller{file, POLLIN, 0};
    while (!stop.stop_requested()) {
      if (poll(&poller, 1, 10) > 0) return true;
    }
    return false;
  }

  /// Reads until the body "payload" is there; false if the client closed.
  bool read_request(int client, const std::stop_token& stop) {
    std::string got;
    char chunk[4096];
    while (got.find("payload") == std::string::npos) {
      if (!readable(client, stop)) return false;
      const ssize_t length = recv(client, chunk, sizeof chunk, 0);
      if (length <= 0) return false;
      got.append(chunk, static_cast<std::size_t>(length));
    }
    ++bodies_;
    return true;
  }

  void serve(const std::stop_token& stop) {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    while (readable(listener_, stop)) {
      const int client = accept(listener_, nullptr, nullptr);
      if (read_request(client, stop)) {
        send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
        read_request(client, stop);
      }
      close(client);
    }
  }

  int listener_ = -1;
  unsigned short port_ = 0;
  std::atomic<int> bodies_ = 0;
  std::jthread thread_;
};

HttpAnswer exchange_on(HttpLoop& loop, const std::string& url) {
  loop.start(0, {url, "payload", 2 * kSecond});
  for (;;) {
    auto finished = loop.poll(50 * kMillisecond);
    if (!finished.empty()) return finished.front().answer;
  }
}

TEST(HttpLoop, NeverSendsARequestTwice) {
  HangUpServer server;
  HttpLoop loop(1);
  EXPECT_EQ(exchange_on(loop, server.url()).status, 200);
  const HttpAnswer broken = exchange_on(loop, server.url());  // on the reused connection
  EXPECT_EQ(broken.status, 0);
  EXPECT_FALSE(broken.unsent);
  EXPECT_EQ(server.bodies(), 2);
}

TEST(HttpLoop, ARefusedConnectionIsUnsent) {
  const auto port = free_port();
  ASSERT_TRUE(port);
  const HttpAnswer answer =
      http_exchange({"http://127.0.0.1:" + std::to_string(*port) + "/op", "payload", kSecond});
  EXPECT_TRUE(answer.unsent);
  EXPECT_EQ(answer.error, "connection-refused");
}

}  // namespace
}  // namespace consistory
