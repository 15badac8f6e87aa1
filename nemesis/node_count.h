#pragma once
// Which nodes the variants one, leader, minority and all of kill and pause strike.

#include "nemesis/fault.h"

namespace consistory {

inline std::vector<Place> draw_targets(std::string_view variant, const Controls& controls,
                                       Random& random) {
  if (variant == "leader") return {draw_leader(controls, random)};
  const std::size_t all = controls.node_count();
  const std::size_t minority = std::max<std::size_t>(1, (all - 1) / 2);
  return draw_nodes(controls, random,
                    variant == "all"        ? all
                    : variant == "minority" ? minority
                                            : 1);
}

}  // namespace consistory
