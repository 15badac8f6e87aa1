#pragma once
// Network: every node in a network namespace of its own, with its own address, and the clients
// (this process) in another, joined by a switch of ours. Nothing of it can be seen outside the
// namespaces of this process, and all of it goes with the last descriptor that holds it.

#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "harness/sandbox/switch.h"

namespace consistory {

class Network {
 public:
  /// Needs CAP_NET_ADMIN over the network namespace of this process, which becomes the clients',
  /// and must hold nothing yet (enter_sandbox() gives such a one).
  static Result<std::unique_ptr<Network>> create(std::size_t nodes, const Random& random);

  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  Switch& links() { return *switch_; }
  /// Replaces our switch by the kernel's bridge, which carries everything: to compare them.
  Status use_kernel_bridge();
  /// "10.77.0.3"; place 0, the clients, is 10.77.0.254.
  static std::string address_of(Place place);
  /// A descriptor of the node's network namespace, for setns(2); ours.
  int space_of(Place node) const { return *spaces_[node]; }

 private:
  Network() = default;
  Status join_up();

  std::vector<Descriptor> spaces_;  // [0] is the clients'
  Descriptor switch_space_;
  std::unique_ptr<Switch> switch_;
};

}  // namespace consistory
