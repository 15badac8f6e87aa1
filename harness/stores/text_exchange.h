#pragma once
// One question in text over TCP, and all that comes back until the other end closes.

#include <string>

#include "base/clock.h"
#include "base/descriptor.h"
#include "harness/cluster/ground.h"

namespace consistory {

/// Empty if there is no answer by then; at most 64 KB of it.
std::string exchange_text(const Endpoint& node, const std::string& question, Nanos timeout);

/// A TCP connection to the node as a descriptor, not blocking; none if it cannot be had by then.
Descriptor connect_to(const Endpoint& node, Nanos deadline);

}  // namespace consistory
