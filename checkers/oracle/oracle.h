#pragma once
// The oracle: every model decided by brute force, straight from its definition (MODELS §3), for
// histories of a few operations. It shares nothing with the checkers but the history: all
// completions, all resolutions, all serialisations and arbitrations are tried, and the only economy
// is to remember dead ends. It re-checks every witness before it is shown, and tests compare the
// checkers with it.

#include <cstdint>
#include <string_view>

#include "checkers/history/history.h"

namespace consistory {

enum class OracleAnswer : std::uint8_t {
  holds,
  violated,
  not_checked,  ///< the final reads that a convergence model needs are missing
  gave_up,      ///< too many operations or steps
};

/// At most this many operations, and as many steps.
constexpr std::size_t kOracleOperationsMax = 40;
constexpr std::uint64_t kOracleStepsDefault = 2'000'000;

/// `column` is a column of the litmus suite (MODELS §1.5): lin, sc, cm, ccv, cc, pram, keysc, rval,
/// mr_v, mw_v, ryw_v, wfr_v, conv, ec, sec.
OracleAnswer ask_oracle(const History& history, std::string_view column,
                        std::uint64_t steps = kOracleStepsDefault);

/// A set of session guarantees, scope G: 1 monotonic reads, 2 monotonic writes, 4 read your writes,
/// 8 writes follow reads.
OracleAnswer ask_oracle_about_guarantees(const History& history, unsigned set,
                                         std::uint64_t steps = kOracleStepsDefault);

/// Histories of sets and counters under lin, sc or keysc.
OracleAnswer ask_oracle_about_sets(const History& history, std::string_view column,
                                   std::uint64_t steps = kOracleStepsDefault);

}  // namespace consistory
