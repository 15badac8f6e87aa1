#pragma once
// Is a set of "must come before" pairs acyclic, and if not, which few operations show it?

#include <cstdint>
#include <vector>

#include "checkers/fast/trace.h"

namespace consistory {

/// Nodes are any dense numbers; `because` is an operation that shows why, or kNoPoint.
struct Before {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  Point because = kNoPoint;
};

/// A cycle of the graph as a list of its edges, empty if there is none. Short rather than shortest:
/// breadth first from a bounded number of nodes. O(nodes + edges).
std::vector<Before> find_cycle(std::uint32_t nodes, const std::vector<Before>& edges);

}  // namespace consistory
