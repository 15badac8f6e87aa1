// The sandbox's network as programs see it: what sockets in the nodes' namespaces receive, not what
// was set. Runs inside a sandbox; ends with 77, which CTest takes as skipped, where there is none.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <thread>

#include "harness/sandbox/enter.h"
#include "harness/sandbox/network.h"
#include "harness/sandbox/socket_address.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 9000;
constexpr Nanos kQuiet = 300 * kMillisecond;  // longer than anything is under way

sockaddr_in address_of(Place place) { return socket_address(place, kPort); }

/// No single flipped bit of a number leaves its letter as it is.
char letter_of(std::uint32_t number) { return static_cast<char>('a' + number % 25); }

/// A UDP socket of a node.
class Node {
 public:
  Node(const Network& network, Place place) : place_(place) {
    std::thread([&] {
      ASSERT_EQ(setns(network.space_of(place), CLONE_NEWNET), 0);
      socket_ = Descriptor(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      const int buffer = 4 << 20;
      setsockopt(*socket_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
      const sockaddr_in own = address_of(place);
      ASSERT_EQ(bind(*socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    }).join();
  }

  struct Message {
    std::uint32_t number = 0;
    std::array<char, 100> filling{};
  };

  void send(Place to, std::uint32_t number) const {
    Message message;
    message.number = number;
    message.filling.fill(letter_of(number));
    const sockaddr_in address = address_of(to);
    ASSERT_EQ(sendto(*socket_, &message, sizeof message, 0,
                     reinterpret_cast<const sockaddr*>(&address), sizeof address),
              static_cast<ssize_t>(sizeof message));
  }

  /// The next message, if one comes within the time.
  std::optional<Message> receive(Nanos within) const {
    pollfd poller{*socket_, POLLIN, 0};
    if (poll(&poller, 1, static_cast<int>(within / kMillisecond)) != 1) return std::nullopt;
    Message message;
    if (recv(*socket_, &message, sizeof message, 0) != static_cast<ssize_t>(sizeof message))
      return std::nullopt;
    return message;
  }

  Place place() const { return place_; }

 private:
  Place place_;
  Descriptor socket_;
};

/// What came of a number of messages, as the receiver counts them.
struct Count {
  int all = 0, twice = 0, overtaken = 0, damaged = 0;
};

Count transmit(const Node& from, const Node& to, int messages) {
  Count count;
  std::map<std::uint32_t, int> came;
  std::uint32_t last = 0;
  const auto take = [&](const Node::Message& message) {
    ++count.all;
    const bool whole = message.number < static_cast<std::uint32_t>(messages) &&
                       std::all_of(message.filling.begin(), message.filling.end(),
                                   [&](char c) { return c == letter_of(message.number); });
    if (!whole) ++count.damaged;
    else if (++came[message.number] > 1) ++count.twice;
    else if (message.number < last) ++count.overtaken;
    if (whole) last = std::max(last, message.number);
  };
  for (int number = 0; number < messages; ++number) {
    from.send(to.place(), static_cast<std::uint32_t>(number));
    if (number % 20 != 0) continue;  // spread a little, as real traffic is
    if (const auto message = to.receive(kMillisecond)) take(*message);
  }
  while (const auto message = to.receive(kQuiet)) take(*message);
  return count;
}

class SandboxNetwork : public testing::Test {
 protected:
  void SetUp() override {
    auto made = Network::create(3, Random(5));
    ASSERT_TRUE(made) << made.error().message;
    network_ = std::move(*made);
    for (const Place place : {1, 2, 3}) nodes_.push_back(std::make_unique<Node>(*network_, place));
  }

  const Node& node(Place place) const { return *nodes_[place - 1]; }
  Switch& links() { return network_->links(); }

  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(SandboxNetwork, CarriesEverythingUntouched) {
  const Count count = transmit(node(1), node(2), 2000);
  EXPECT_EQ(count.all, 2000);
  EXPECT_EQ(count.twice + count.overtaken + count.damaged, 0);
  EXPECT_EQ(links().counters(1, 2).packets, 2000U);
}

TEST_F(SandboxNetwork, ACutDirectionCarriesNothingAndTheOtherEverything) {
  ASSERT_TRUE(links().cut(1, 2));
  EXPECT_EQ(transmit(node(1), node(2), 200).all, 0);
  EXPECT_EQ(transmit(node(2), node(1), 200).all, 200);
  EXPECT_EQ(transmit(node(1), node(3), 200).all, 200);
  EXPECT_EQ(links().counters(1, 2).packets_cut, 200U);
  ASSERT_TRUE(links().heal(1, 2));
  EXPECT_EQ(transmit(node(1), node(2), 200).all, 200);
}

TEST_F(SandboxNetwork, DelayIsOneWay) {
  LinkQuality slow;
  slow.delay = 50 * kMillisecond;
  ASSERT_TRUE(links().impose(1, 2, slow));
  std::vector<Nanos> times;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const Nanos before = monotonic_now();
    node(1).send(2, i);
    ASSERT_TRUE(node(2).receive(kSecond));
    node(2).send(1, i);
    ASSERT_TRUE(node(1).receive(kSecond));
    times.push_back(monotonic_now() - before);
  }
  std::sort(times.begin(), times.end());
  EXPECT_GE(times.front(), 50 * kMillisecond);
  EXPECT_LE(times[times.size() / 2], 55 * kMillisecond);
}

TEST_F(SandboxNetwork, LosesTheShareThatWasAskedFor) {
  LinkQuality lossy;
  lossy.loss = 0.2;
  ASSERT_TRUE(links().impose(1, 2, lossy));
  EXPECT_NEAR(transmit(node(1), node(2), 2000).all, 1600, 60);
  ASSERT_TRUE(links().lift(1, 2, lossy));
  EXPECT_EQ(transmit(node(1), node(2), 200).all, 200);
}

TEST_F(SandboxNetwork, DuplicatesAndReordersAsItCounts) {
  LinkQuality untidy;
  untidy.duplicate = 0.1;
  untidy.reorder = 0.1;
  ASSERT_TRUE(links().impose(1, 2, untidy));
  const Count count = transmit(node(1), node(2), 2000);
  const LinkCounters counters = links().counters(1, 2);
  EXPECT_EQ(count.all, 2000 + static_cast<int>(counters.duplicated));
  EXPECT_EQ(count.twice, static_cast<int>(counters.duplicated));
  EXPECT_NEAR(count.twice, 200, 60);
  EXPECT_GT(count.overtaken, 50);
}

TEST_F(SandboxNetwork, CorruptionIsThrownAwayByItsReceiver) {
  LinkQuality corrupt;
  corrupt.corrupt = 0.2;
  ASSERT_TRUE(links().impose(1, 2, corrupt));
  const Count count = transmit(node(1), node(2), 2000);
  EXPECT_EQ(count.damaged, 0);
  EXPECT_EQ(count.all, 2000 - static_cast<int>(links().counters(1, 2).corrupted));
  EXPECT_NEAR(count.all, 1600, 60);
}

TEST_F(SandboxNetwork, SilentCorruptionArrives) {
  LinkQuality corrupt;
  corrupt.corrupt_silently = 0.2;
  ASSERT_TRUE(links().impose(1, 2, corrupt));
  const Count count = transmit(node(1), node(2), 2000);
  EXPECT_EQ(count.all, 2000);
  EXPECT_EQ(count.damaged, static_cast<int>(links().counters(1, 2).corrupted));
  EXPECT_NEAR(count.damaged, 400, 60);
}

TEST_F(SandboxNetwork, SameSeedSameFateOfTheSamePackets) {
  const auto lost = [&] {
    LinkQuality lossy;
    lossy.loss = 0.5;
    EXPECT_TRUE(links().impose(1, 2, lossy));
    std::vector<bool> came(200, false);
    for (std::uint32_t i = 0; i < came.size(); ++i) {
      node(1).send(2, i);
      if (const auto message = node(2).receive(20 * kMillisecond)) came[message->number] = true;
    }
    return came;
  };
  const std::vector<bool> first = lost();
  nodes_.clear();
  network_.reset();
  SetUp();
  EXPECT_EQ(lost(), first);
}

/// A TCP stream through a link that corrupts and duplicates comes out whole.
TEST_F(SandboxNetwork, TcpRepairsWhatItNotices) {
  LinkQuality bad;
  bad.corrupt = 0.02;
  bad.duplicate = 0.05;
  bad.reorder = 0.05;
  ASSERT_TRUE(links().impose(1, 2, bad));
  constexpr std::size_t kBytes = 1 << 20;
  Descriptor listener;
  std::thread([&] {
    setns(network_->space_of(2), CLONE_NEWNET);
    listener = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in own = address_of(2);
    ASSERT_EQ(bind(*listener, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    ASSERT_EQ(listen(*listener, 1), 0);
  }).join();
  std::thread sender([&] {
    setns(network_->space_of(1), CLONE_NEWNET);
    const Descriptor stream(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to = address_of(2);
    ASSERT_EQ(connect(*stream, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    std::vector<char> bytes(kBytes);
    for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
    for (std::size_t sent = 0; sent < kBytes;) {
      const ssize_t some = send(*stream, bytes.data() + sent, kBytes - sent, MSG_NOSIGNAL);
      ASSERT_GT(some, 0);
      sent += static_cast<std::size_t>(some);
    }
  });
  const Descriptor stream(accept(*listener, nullptr, nullptr));
  std::size_t got = 0, wrong = 0;
  std::array<char, 65536> buffer{};
  for (ssize_t some = 0; (some = recv(*stream, buffer.data(), buffer.size(), 0)) > 0;) {
    for (ssize_t i = 0; i < some; ++i, ++got)
      wrong += buffer[static_cast<std::size_t>(i)] == static_cast<char>(got * 31 >> 3) ? 0 : 1;
  }
  sender.join();
  EXPECT_EQ(got, kBytes);
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(links().counters(1, 2).corrupted, 0U);
}

}  // namespace
}  // namespace consistory

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const consistory::Status inside = consistory::enter_sandbox(); !inside) {
    std::printf("skipped: %s\n", inside.error().message.c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
