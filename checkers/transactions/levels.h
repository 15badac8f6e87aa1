#pragma once
// Isolation levels, and which of them a history of transactions satisfies.
//
// All levels are about one commit order that contains session order and reads-from (Biswas and Enea
// 2019), so that they are the "strong session" variants of Adya's (1999) levels: a read of
// transaction t3 that returns t1's value of a key asks that every other writer t2 of the key that
// t3 must see commits before t1. What it must see:
//   read committed       what it read from before, in the same transaction
//   read atomic          its session's earlier transactions, and all it reads from
//   causal               their transitive closure
//   parallel snapshot    the same closure with the writers of a key in their order (Cerone 2015)
//   prefix               whatever commits before anything that causal shows
//   snapshot             the same, and no two concurrent transactions write the same key
//   serializable         whatever commits before it
//   strong snapshot, strict serializable: and everything that completed before it was invoked.
// Read uncommitted asks only that the writes of all keys have one order (no G0).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/models/verdict.h"
#include "checkers/oracle/oracle.h"
#include "checkers/transactions/digraph.h"

namespace consistory {

enum class Level : std::uint8_t {
  read_uncommitted,
  read_committed,
  read_atomic,
  causal,
  parallel_snapshot,
  prefix,
  snapshot,
  strong_snapshot,
  serializable,
  strict_serializable,
};

struct LevelInfo {
  Level level;
  std::string_view name;
  std::string_view aliases;  ///< space-separated
  std::string_view promise;
  std::string_view source;
  std::vector<Level> implies;  ///< the nearest weaker ones
};

/// Strongest first.
std::span<const LevelInfo> all_levels();
const LevelInfo& info_of(Level level);

/// By name or alias; a usage error with a suggestion.
Result<const LevelInfo*> find_level(std::string_view name);

/// A violation that was found, with a name from the literature.
struct TransactionAnomaly {
  /// One step of a cycle, between transactions; none: the initial state.
  struct Arrow {
    std::optional<TransactionId> from, to;
    std::string why;  ///< "wr x", "session": raw bytes
  };
  std::string name;         ///< "G-single", "G1a-aborted-read"
  std::vector<Link> cycle;  ///< between nodes; empty for anomalies of single reads
  std::vector<TransactionId> transactions;
  std::string text;           ///< for people; raw bytes
  std::vector<Arrow> arrows;  ///< the cycle, to be drawn
};

/// A few transactions that a level forbids by themselves (witness.h).
struct TransactionWitness {
  TransactionHistory history;                    ///< with the steps that matter
  std::vector<TransactionId> original;           ///< their ids in the whole history
  std::vector<TransactionAnomaly> anomalies;     ///< of `history`
  bool minimal = false;                          ///< nothing can be left out
  OracleAnswer recheck = OracleAnswer::gave_up;  ///< what brute force says of it
};

struct LevelVerdict {
  Level level = Level::serializable;
  Verdict verdict = Verdict::inconclusive;
  std::string why;  ///< of inconclusive
  std::vector<TransactionAnomaly> anomalies;
  std::optional<TransactionWitness> witness;  ///< once attach_witnesses() found one
};

struct TransactionJudgement {
  std::vector<LevelVerdict> levels;  ///< as all_levels()
};

struct TransactionOptions {
  std::vector<Level> levels;  ///< empty: all
  std::uint64_t steps = 20'000'000;
};

/// Near-linear where the order of writes is known (lists) and for the levels up to causal; for the
/// others of registers it saturates, guesses an order, then searches with a SAT solver.
TransactionJudgement judge_transactions(const TransactionHistory& history,
                                        const TransactionOptions& options);

}  // namespace consistory
