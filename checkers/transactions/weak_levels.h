#pragma once
// The levels that are decided in polynomial time even where the order of writes is unknown: read
// committed, read atomic and causal (Biswas and Enea 2019; the bounds are those of Møldrup,
// Mathiasen and Pavlogiannis 2025). Each asks for certain commits before others; that has no cycle,
// or the level is violated.

#include "checkers/transactions/digraph.h"

namespace consistory {

enum class WeakLevel : std::uint8_t { read_committed, read_atomic, causal };

/// Cycles of the commits that the level asks for; empty if it holds. Nothing is said about
/// anomalies of single reads. O(reads · sessions) for causal, near-linear for the others.
std::vector<std::vector<Link>> weak_level_cycles(const Dependencies& dependencies, WeakLevel level);

/// Cycles among writes alone, where lists show their order (G0).
std::vector<std::vector<Link>> write_cycles(const Dependencies& dependencies);

/// Session order, reads-from, and the order of writes that lists show.
std::vector<Link> known_order(const Dependencies& dependencies);

}  // namespace consistory
