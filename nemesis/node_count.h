#pragma once
// How many nodes the variants one, minority and all of kill and pause strike.

#include "nemesis/fault.h"

namespace consistory {

inline std::size_t nodes_struck(std::string_view variant, const Controls& controls) {
  const std::size_t all = controls.node_count();
  if (variant == "all") return all;
  return variant == "minority" ? std::max<std::size_t>(1, (all - 1) / 2) : 1;
}

}  // namespace consistory
