#include "harness/cluster/ground.h"
#include "harness/sandbox/network.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 7000;  // of every node: each has its own address

class SandboxGround final : public Ground {
 public:
  explicit SandboxGround(std::unique_ptr<Network> network) : network_(std::move(network)) {}

  std::string_view name() const override { return "sandbox"; }
  LinkControl& links() override { return network_->links(); }
  Endpoint own(Place node) const override { return {Network::address_of(node), kPort}; }
  Endpoint reach(Place, Place to) const override { return own(to); }
  int network_space(Place node) const override { return network_->space_of(node); }
  Status capture(const std::string& path) override { return network_->links().capture(path); }

 private:
  std::unique_ptr<Network> network_;
};

}  // namespace

Result<std::unique_ptr<Ground>> make_sandbox_ground(std::size_t nodes, const Random& random) {
  Result<std::unique_ptr<Network>> network = Network::create(nodes, random);
  if (!network) return network.error();
  return std::unique_ptr<Ground>(std::make_unique<SandboxGround>(std::move(*network)));
}

}  // namespace consistory
