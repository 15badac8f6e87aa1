#include "harness/sandbox/network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "harness/processes/tool.h"

namespace consistory {
namespace {

constexpr const char* kOwnSpace = "/proc/thread-self/ns/net";

std::string port_of(Place place) { return fmt::format("port{}", place); }

/// No router solicitations and the like: what passes a link is the store's, or ours.
void silence_ipv6() {
  for (const char* scope : {"all", "default"})
    std::ofstream(fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", scope)) << "1";
}

/// Runs `work` in another network namespace; only that thread ever is there.
template <class Work>
Status in_space(int space, const Work& work) {
  Status outcome = Done{};
  std::thread([&] {
    const int entered = space >= 0 ? setns(space, CLONE_NEWNET) : unshare(CLONE_NEWNET);
    if (entered == 0) outcome = work();
    else
      outcome = environment_error(
          fmt::format("cannot enter a network namespace: {}", std::strerror(errno)));
  }).join();
  return outcome;
}

Status make_space(Descriptor& space) {
  return in_space(-1, [&]() -> Status {
    silence_ipv6();
    space = Descriptor(open(kOwnSpace, O_RDONLY | O_CLOEXEC));
    return space ? Status(Done{}) : environment_error("cannot open a network namespace of ours");
  });
}

std::string path_of(const Descriptor& space) {
  return fmt::format("/proc/{}/fd/{}", getpid(), *space);
}

/// ip(8) of iproute2, with many commands at once.
Status configure(const Descriptor& space, const std::string& commands) {
  const auto done = run_tool({"ip", "iproute2", {"-batch", "-"}, *space}, commands);
  if (done) return Done{};
  return environment_error("cannot set up the network: " + done.error().message);
}

std::string commands_of_switch(const std::vector<Descriptor>& spaces) {
  std::string commands;
  for (Place place = 0; place < spaces.size(); ++place) {
    commands += fmt::format("link add {} type veth peer name eth0 netns {}\n", port_of(place),
                            path_of(spaces[place]));
    commands += fmt::format("link set {} up\n", port_of(place));
  }
  return commands;
}

/// Everybody knows everybody's address, so that nobody has to ask.
std::string commands_of_place(Place place, std::size_t places) {
  std::string commands = "link set lo up\n";
  commands += fmt::format("link set eth0 address {}\n", Switch::mac_of(place));
  commands += fmt::format("addr add {}/24 dev eth0\n", Network::address_of(place));
  commands += "link set eth0 up\n";
  for (Place other = 0; other < places; ++other) {
    if (other == place) continue;
    commands += fmt::format("neigh replace {} lladdr {} dev eth0 nud permanent\n",
                            Network::address_of(other), Switch::mac_of(other));
  }
  return commands;
}

}  // namespace

std::string Network::address_of(Place place) {
  return fmt::format("10.77.0.{}", place == kClients ? 254 : place);
}

Result<std::unique_ptr<Network>> Network::create(std::size_t nodes, const Random& random) {
  std::unique_ptr<Network> network(new Network);
  silence_ipv6();
  network->spaces_.emplace_back(open(kOwnSpace, O_RDONLY | O_CLOEXEC));
  for (std::size_t node = 1; node <= nodes; ++node) {
    if (Status made = make_space(network->spaces_.emplace_back()); !made) return made.error();
  }
  if (Status made = make_space(network->switch_space_); !made) return made.error();
  if (Status joined = network->join_up(); !joined) return joined.error();
  std::vector<std::string> ports;
  for (Place place = 0; place <= nodes; ++place) ports.push_back(port_of(place));
  const Status started = in_space(*network->switch_space_, [&]() -> Status {
    Result<std::unique_ptr<Switch>> made = Switch::start(ports, random);
    if (!made) return made.error();
    network->switch_ = std::move(*made);
    return Done{};
  });
  if (!started) return started.error();
  return network;
}

/// The clients' side of it goes at once, so that another network can follow.
Network::~Network() {
  switch_.reset();
  if (!spaces_.empty()) (void)configure(spaces_[0], "link del eth0\n");
}

Status Network::use_kernel_bridge() {
  switch_.reset();
  std::string commands = "link add bridge type bridge\nlink set bridge up\n";
  for (Place place = 0; place < spaces_.size(); ++place)
    commands += fmt::format("link set {} master bridge\n", port_of(place));
  return configure(switch_space_, commands);
}

Status Network::join_up() {
  if (Status ports = configure(switch_space_, commands_of_switch(spaces_)); !ports) return ports;
  for (Place place = 0; place < spaces_.size(); ++place) {
    if (Status up = configure(spaces_[place], commands_of_place(place, spaces_.size())); !up)
      return up;
  }
  return Done{};
}

}  // namespace consistory
