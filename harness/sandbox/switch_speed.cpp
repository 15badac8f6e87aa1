// What the switch costs: one TCP flow and idle round trips between two nodes of a sandbox, through
// our switch and, for comparison, through the kernel's bridge. scripts/switch-speed prints both.
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "harness/sandbox/enter.h"
#include "harness/sandbox/network.h"
#include "harness/sandbox/socket_address.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 9000;
constexpr Nanos kFlow = 3 * kSecond;
constexpr int kRoundTrips = 1000;

sockaddr_in address_of(Place place) { return socket_address(place, kPort); }

/// Connected sockets of node 1 and node 2.
std::pair<Descriptor, Descriptor> connect_nodes(const Network& network) {
  Descriptor listener, opener;
  std::thread([&] {
    setns(network.space_of(2), CLONE_NEWNET);
    listener = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in own = address_of(2);
    if (bind(*listener, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0)
      (void)listen(*listener, 1);
  }).join();
  std::thread([&] {
    setns(network.space_of(1), CLONE_NEWNET);
    opener = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to = address_of(2);
    (void)connect(*opener, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }).join();
  Descriptor answerer(accept(*listener, nullptr, nullptr));
  const int one = 1;
  for (const int end : {*opener, *answerer})
    setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return {std::move(opener), std::move(answerer)};
}

double gigabits_per_second(const Descriptor& from, const Descriptor& to) {
  std::thread sender([&] {
    const std::vector<char> bytes(1 << 17, 'x');
    const Nanos end = monotonic_now() + kFlow;
    while (monotonic_now() < end && send(*from, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
    shutdown(*from, SHUT_WR);
  });
  std::vector<char> buffer(1 << 17);
  const Nanos begin = monotonic_now();
  std::uint64_t bytes = 0;
  for (ssize_t some = 0; (some = recv(*to, buffer.data(), buffer.size(), 0)) > 0;)
    bytes += static_cast<std::uint64_t>(some);
  sender.join();
  return static_cast<double>(bytes) * 8 / static_cast<double>(monotonic_now() - begin);
}

/// The median, in milliseconds.
double idle_round_trip(const Descriptor& asker, const Descriptor& answerer) {
  std::thread echo([&] {
    char byte = 0;
    for (int i = 0; i < kRoundTrips && recv(*answerer, &byte, 1, 0) == 1; ++i)
      (void)send(*answerer, &byte, 1, MSG_NOSIGNAL);
  });
  std::vector<Nanos> times;
  char byte = 'x';
  for (int i = 0; i < kRoundTrips; ++i) {
    const Nanos before = monotonic_now();
    if (send(*asker, &byte, 1, MSG_NOSIGNAL) != 1 || recv(*asker, &byte, 1, 0) != 1) break;
    times.push_back(monotonic_now() - before);
    pause_for(kMillisecond / 2);
  }
  echo.join();
  std::sort(times.begin(), times.end());
  return times.empty() ? -1 : static_cast<double>(times[times.size() / 2]) / kMillisecond;
}

int measure(const char* name, const Network& network) {
  const auto [one, two] = connect_nodes(network);
  const double round_trip = idle_round_trip(one, two);
  const double flow = gigabits_per_second(one, two);
  fmt::print("{:<14} one TCP flow {:6.2f} Gbit/s, idle round trip {:.3f} ms\n", name, flow,
             round_trip);
  return flow > 0 && round_trip > 0 ? 0 : 1;
}

int run() {
  for (const bool bridge : {false, true}) {
    auto network = Network::create(2, Random(1));
    if (!network) {
      fmt::print("{}\n", network.error().message);
      return 69;
    }
    if (bridge) {
      if (const Status bridged = (*network)->use_kernel_bridge(); !bridged) {
        fmt::print("kernel bridge: {}\n", bridged.error().message);
        return 0;
      }
    }
    if (const int failed = measure(bridge ? "kernel bridge" : "our switch", **network); failed != 0)
      return failed;
  }
  return 0;
}

}  // namespace
}  // namespace consistory

int main() {
  if (const consistory::Status inside = consistory::enter_sandbox(); !inside) {
    std::printf("%s\n", inside.error().message.c_str());
    return 69;
  }
  return consistory::run();
}
