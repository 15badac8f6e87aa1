#pragma once
// Which nodes the variants one, leader, minority, majority and all strike.

#include "nemesis/fault.h"

namespace consistory {

/// Those that were named, else drawn.
inline std::vector<Place> draw_targets(const FaultSpec& spec, const Controls& controls,
                                       Random& random) {
  if (const std::vector<Place> named = spec.nodes(); !named.empty()) return named;
  const std::string& variant = spec.variant;
  if (variant == "leader") return {draw_leader(controls, random)};
  const std::size_t all = controls.node_count();
  const std::size_t minority = std::max<std::size_t>(1, (all - 1) / 2);
  return draw_nodes(controls, random,
                    variant == "all"        ? all
                    : variant == "majority" ? all / 2 + 1
                    : variant == "minority" ? minority
                                            : 1);
}

}  // namespace consistory
