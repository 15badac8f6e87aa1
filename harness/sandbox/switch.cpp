#include "harness/sandbox/switch.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>

#include "base/descriptor.h"
#include "harness/sandbox/link_fate.h"
#include "harness/sandbox/packet.h"
#include "harness/sandbox/pcap_file.h"

namespace consistory {
namespace {

constexpr std::size_t kPacketMax = 70'000;  // a segmentation offload's largest, and its headers
constexpr int kBurst = 64;                  // packets of one port before the others get their turn
constexpr int kBufferBytes = 8 << 20;
constexpr std::size_t kWaitingMax = 64U << 20;  // bytes under way; beyond, packets are lost

Error cannot(std::string_view what, const std::string& interface) {
  return environment_error(fmt::format("cannot {} {}: {}", what, interface, std::strerror(errno)));
}

Result<Descriptor> open_port(const std::string& interface) {
  Descriptor port(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!port) return cannot("open a packet socket for", interface);
  const int one = 1;
  const bool headers = setsockopt(*port, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) == 0;
  const bool one_way = setsockopt(*port, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) == 0;
  if (!headers || !one_way) return cannot("set up a packet socket for", interface);
  setsockopt(*port, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  for (const int buffer : {SO_RCVBUFFORCE, SO_SNDBUFFORCE, SO_RCVBUF, SO_SNDBUF})
    setsockopt(*port, SOL_SOCKET, buffer, &kBufferBytes, sizeof kBufferBytes);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (bind(*port, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot("bind a packet socket to", interface);
  packet_mreq all{};
  all.mr_ifindex = address.sll_ifindex;
  all.mr_type = PACKET_MR_PROMISC;
  setsockopt(*port, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
  return port;
}

struct Waiting {
  Nanos due = 0;
  std::uint64_t number = 0;  // those due at once go in the order in which they came
  Place to = 0;
  std::vector<char> bytes;
  bool operator>(const Waiting& other) const {
    return std::pair(due, number) > std::pair(other.due, other.number);
  }
};

}  // namespace

class Switch::Engine {
 public:
  Engine(std::vector<Descriptor> ports, const Random& random)
      : ports_(std::move(ports)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    for (Place from = 0; from < ports_.size(); ++from) {
      for (Place to = 0; to < ports_.size(); ++to)
        links_.emplace_back(random.fork(fmt::format("link {} {}", from, to)));
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  ~Engine() {
    thread_.request_stop();
    wake();
  }

  template <class Change>
  void change(Place from, Place to, const Change& change) {
    const std::lock_guard lock(mutex_);
    change(link(from, to));
  }

  LinkCounters counters(Place from, Place to) {
    const std::lock_guard lock(mutex_);
    return link(from, to).counters();
  }

  Status capture(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return capture_.open(path);
  }

 private:
  LinkFate& link(Place from, Place to) { return links_[from * ports_.size() + to]; }

  void wake() const {
    const std::uint64_t one = 1;
    (void)!::write(*wake_, &one, sizeof one);
  }

  void run(const std::stop_token& stop) {
    std::vector<pollfd> polled;
    for (const Descriptor& port : ports_) polled.push_back({*port, POLLIN, 0});
    polled.push_back({*wake_, POLLIN, 0});
    while (!stop.stop_requested()) {
      const timespec left = until_next();
      ppoll(polled.data(), polled.size(), waiting_.empty() ? nullptr : &left, nullptr);
      const std::lock_guard lock(mutex_);
      for (Place from = 0; from < ports_.size(); ++from) {
        if ((polled[from].revents & POLLIN) != 0) take_burst(from);
      }
      send_due();
    }
  }

  timespec until_next() const {
    if (waiting_.empty()) return {};
    const Nanos left = std::max<Nanos>(waiting_.top().due - monotonic_now(), 0);
    return {left / kSecond, left % kSecond};
  }

  void take_burst(Place from) {
    for (int i = 0; i < kBurst; ++i) {
      const ssize_t size = ::read(*ports_[from], buffer_.data(), buffer_.size());
      if (size <= 0) return;
      const Packet packet(std::span(buffer_.data(), static_cast<std::size_t>(size)));
      if (!packet.is_whole()) continue;
      capture_.add(packet.frame(), monotonic_now());
      if (!packet.is_for_all()) {
        if (packet.receiver() < ports_.size() && packet.receiver() != from)
          pass(from, packet.receiver(), static_cast<std::size_t>(size));
        continue;
      }
      for (Place to = 0; to < ports_.size(); ++to) {
        if (to != from) pass(from, to, static_cast<std::size_t>(size));
      }
    }
  }

  /// The packet in the buffer.
  void pass(Place from, Place to, std::size_t size) {
    const std::span<char> bytes(buffer_.data(), size);
    const Nanos now = monotonic_now();
    const PacketFate fate = link(from, to).next(size - Packet::kHeader, now, Packet(bytes).is_ip());
    const bool damaged = fate.damage != PacketFate::Damage::none;
    if (damaged && !Packet(bytes).damage(fate.bit, fate.damage == PacketFate::Damage::silent))
      return;
    for (int copy = 0; copy < fate.copies; ++copy) {
      if (fate.due <= now) {
        send(to, bytes);
        continue;
      }
      if (bytes_waiting_ + size > kWaitingMax) return;
      Waiting waiting{fate.due, number_++, to, {bytes.begin(), bytes.end()}};
      bytes_waiting_ += size;
      waiting_.push(std::move(waiting));
    }
  }

  void send_due() {
    const Nanos now = monotonic_now();
    while (!waiting_.empty() && waiting_.top().due <= now) {
      const Waiting& next = waiting_.top();
      send(next.to, next.bytes);
      bytes_waiting_ -= next.bytes.size();
      waiting_.pop();
    }
  }

  /// A full queue loses packets, as a real switch's would.
  void send(Place to, std::span<const char> bytes) const {
    (void)!::write(*ports_[to], bytes.data(), bytes.size());
  }

  std::vector<Descriptor> ports_;
  Descriptor wake_;
  std::mutex mutex_;  // guards what follows
  std::vector<LinkFate> links_;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
  std::size_t bytes_waiting_ = 0;
  std::uint64_t number_ = 0;
  PcapFile capture_;
  std::array<char, kPacketMax> buffer_{};
  std::jthread thread_;
};

Switch::Switch(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Switch::~Switch() = default;

Result<std::unique_ptr<Switch>> Switch::start(const std::vector<std::string>& interfaces,
                                              const Random& random) {
  std::vector<Descriptor> ports;
  for (const std::string& interface : interfaces) {
    Result<Descriptor> port = open_port(interface);
    if (!port) return port.error();
    ports.push_back(std::move(*port));
  }
  return std::unique_ptr<Switch>(new Switch(std::make_unique<Engine>(std::move(ports), random)));
}

std::string Switch::mac_of(Place place) { return fmt::format("02:00:00:00:00:{:02x}", place); }

Status Switch::cut(Place from, Place to) {
  engine_->change(from, to, [](LinkFate& link) { link.cut(); });
  return Done{};
}

Status Switch::heal(Place from, Place to) {
  engine_->change(from, to, [](LinkFate& link) { link.heal(); });
  return Done{};
}

Status Switch::impose(Place from, Place to, const LinkQuality& quality) {
  engine_->change(from, to, [&](LinkFate& link) { link.impose(quality); });
  return Done{};
}

Status Switch::lift(Place from, Place to, const LinkQuality& quality) {
  engine_->change(from, to, [&](LinkFate& link) { link.lift(quality); });
  return Done{};
}

LinkCounters Switch::counters(Place from, Place to) const { return engine_->counters(from, to); }

Status Switch::capture(const std::string& path) { return engine_->capture(path); }

}  // namespace consistory
