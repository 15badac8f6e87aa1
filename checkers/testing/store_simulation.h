#pragma once
// Long histories of stores whose guarantees are known by construction, for measuring and for
// finding planted violations: replicas of a key-value store, sessions pinned to them, deliveries at
// random.

#include <cstdio>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace consistory {

enum class SimulatedStore : std::uint8_t {
  strong,    ///< one copy: linearizable
  log,       ///< replicas apply one log, late: sequential
  converge,  ///< causal delivery, last writer wins: causal convergence
  arrival,   ///< causal delivery, replicas keep their order of arrival: causal memory
};

enum class SimulatedLoad : std::uint8_t {
  many,    ///< a thousand keys
  hot,     ///< five keys
  chains,  ///< each session reads what the one before it wrote last, and writes on
};

/// What is done to an otherwise legal history, once, near its middle.
enum class Planted : std::uint8_t {
  nothing,
  stale_read,          ///< a session reads what it had seen overwritten
  lost_write,          ///< a session's own write is not there when it reads
  reordered_pair,      ///< two writes of one session are seen in the other order
  resurrected_value,   ///< a value comes back that another session had overwritten
  skipped_dependency,  ///< an update is seen without what its session had read before it
  diverging_replica,   ///< in the end one replica holds something else
};

struct SimulationPlan {
  SimulatedStore store = SimulatedStore::converge;
  SimulatedLoad load = SimulatedLoad::many;
  Planted planted = Planted::nothing;
  std::size_t operations = 1'000'000;
  std::size_t sessions = 50;
  std::size_t replicas = 5;
  std::uint64_t seed = 1;
};

Result<SimulatedStore> simulated_store_named(std::string_view name);
Result<SimulatedLoad> simulated_load_named(std::string_view name);
Result<Planted> planted_named(std::string_view name);

/// Writes history.jsonl.
void simulate(const SimulationPlan& plan, std::FILE* out);

}  // namespace consistory
