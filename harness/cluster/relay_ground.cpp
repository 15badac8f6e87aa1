#include <fmt/format.h>

#include <vector>

#include "harness/cluster/ground.h"
#include "harness/cluster/relay.h"

namespace consistory {
namespace {

class RelayGround final : public Ground {
 public:
  RelayGround(std::vector<unsigned short> ports, std::unique_ptr<Relay> relay)
      : ports_(std::move(ports)), relay_(std::move(relay)) {}

  std::string_view name() const override { return "relay"; }
  LinkControl& links() override { return *relay_; }
  Status capture(const std::string&) override {
    return environment_error("packets are seen in the sandbox alone");
  }
  Endpoint own(Place node) const override { return {"127.0.0.1", ports_[node - 1]}; }
  Endpoint reach(Place from, Place to) const override {
    const bool direct = from == to || (from == kClients && !relay_->carries_clients());
    return direct ? own(to) : Endpoint{"127.0.0.1", relay_->port(from, to)};
  }

 private:
  std::vector<unsigned short> ports_;
  std::unique_ptr<Relay> relay_;
};

Result<std::vector<unsigned short>> choose_ports(std::size_t nodes, unsigned short first,
                                                 ReservedPorts& reserved) {
  std::vector<unsigned short> ports;
  for (std::size_t i = 0; i < nodes; ++i) {
    if (first == 0) {
      Result<unsigned short> port = reserved.take();
      if (!port) return port.error();
      ports.push_back(*port);
      continue;
    }
    ports.push_back(static_cast<unsigned short>(first + i));
    if (port_is_free(ports.back())) continue;
    return environment_error(
        fmt::format("port {} of 127.0.0.1 is in use: choose another --port-base, or "
                    "leave it out for free ports",
                    ports.back()));
  }
  return ports;
}

}  // namespace

Result<std::unique_ptr<Ground>> make_relay_ground(std::size_t nodes, const RelayOptions& options) {
  ReservedPorts reserved;  // until the relay has its own ports, which come from the same range
  Result<std::vector<unsigned short>> ports = choose_ports(nodes, options.first_port, reserved);
  if (!ports) return ports.error();
  Result<std::unique_ptr<Relay>> relay = Relay::start(*ports, options.carry_clients);
  if (!relay) return relay.error();
  return std::unique_ptr<Ground>(
      std::make_unique<RelayGround>(std::move(*ports), std::move(*relay)));
}

}  // namespace consistory
