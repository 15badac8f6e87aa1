// The relay: a cut holds bytes in one direction only, counts them, and loses none.
#include "harness/cluster/relay.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/clock.h"

namespace consistory {
namespace {

sockaddr_in loopback(unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

class Socket {
 public:
  explicit Socket(int file) : file_(file) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(file_); }

  static int listening(unsigned short port) {
    const int file = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port);
    bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    listen(file, 4);
    return file;
  }
  static int connected(unsigned short port) {
    const int file = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port);
    connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return file;
  }

  int file() const { return file_; }
  void write(const std::string& text) const { send(file_, text.data(), text.size(), MSG_NOSIGNAL); }
  /// What arrives within `span`, up to `count` bytes.
  std::string read(std::size_t count, Nanos span) const {
    std::string got;
    const Nanos deadline = monotonic_now() + span;
    while (got.size() < count && monotonic_now() < deadline) {
      pollfd poller{file_, POLLIN, 0};
      if (poll(&poller, 1, 5) <= 0) continue;
      char chunk[64];
      const ssize_t length = recv(file_, chunk, sizeof chunk, 0);
      if (length <= 0) break;
      got.append(chunk, static_cast<std::size_t>(length));
    }
    return got;
  }

 private:
  int file_;
};

class RelayTest : public testing::Test {
 protected:
  RelayTest()
      : first_port_(*free_port()),
        second_port_(*free_port()),
        server_(Socket::listening(second_port_)) {
    auto relay = Relay::start({first_port_, second_port_}, true);
    EXPECT_TRUE(relay);
    relay_ = std::move(*relay);
  }

  unsigned short first_port_, second_port_;
  Socket server_;
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayTest, CutsOneDirectionHoldsItsBytesAndDeliversThemAfterTheHeal) {
  const Socket client(Socket::connected(relay_->port(1, 2)));
  client.write("hello");
  const Socket accepted(accept(server_.file(), nullptr, nullptr));
  EXPECT_EQ(accepted.read(5, 5 * kSecond), "hello");

  ASSERT_TRUE(relay_->cut(1, 2));
  client.write("held");
  accepted.write("back");
  EXPECT_EQ(client.read(4, 5 * kSecond), "back");  // the other direction is another link
  EXPECT_EQ(accepted.read(4, 50 * kMillisecond), "");
  EXPECT_EQ(relay_->counters(1, 2).bytes_held, 4U);
  EXPECT_EQ(relay_->counters(2, 1).bytes_held, 0U);

  ASSERT_TRUE(relay_->heal(1, 2));
  ASSERT_TRUE(relay_->heal(1, 2));
  EXPECT_EQ(accepted.read(4, 5 * kSecond), "held");
}

TEST_F(RelayTest, LinksOfOtherPlacesAreNotTouched) {
  ASSERT_TRUE(relay_->cut(1, 2));
  const Socket client(Socket::connected(relay_->port(kClients, 2)));
  client.write("hello");
  const Socket accepted(accept(server_.file(), nullptr, nullptr));
  EXPECT_EQ(accepted.read(5, 5 * kSecond), "hello");
}

TEST(FreePort, TellsATakenPortFromAFreeOne) {
  const auto port = free_port();
  ASSERT_TRUE(port);
  EXPECT_TRUE(port_is_free(*port));
  const Socket taken(Socket::listening(*port));
  EXPECT_FALSE(port_is_free(*port));
}

}  // namespace
}  // namespace consistory
