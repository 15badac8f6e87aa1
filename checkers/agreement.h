#pragma once
// How far replicas agree, beside the yes or no of the convergence models.
//
// Agreement while the load runs is phi (Lu et al., "Existential Consistency", SOSP 2015): the share
// of requests at which replicas return the same. Its sample here: of each two reads of a key that
// follow each other and were answered by different nodes, do they return the same?
//
// Convergence time (MODELS §3.5) runs from the last update of a key, or the last heal if that is
// later, until a node returns the final value for good. Reads only bound it: it had not come when
// the node's last other answer was asked for, and had when the first of its final answers came.

#include <string>

#include "base/clock.h"
#include "checkers/history/history.h"

namespace consistory {

struct Agreement {
  std::size_t pairs = 0;     ///< reads that follow each other at different nodes
  std::size_t agreeing = 0;  ///< of those

  std::size_t keys_converged = 0;      ///< all of their final reads agree
  std::size_t keys_diverged = 0;       ///< some disagree
  Nanos converged_after_at_least = 0;  ///< over all nodes and converged keys, the most
  Nanos converged_after_at_most = 0;
};

/// `healed_ns`: when the last fault was healed; below 0: there was none. O(n), plus the lengths of
/// the lists.
Agreement measure_agreement(const History& history, Nanos healed_ns);

/// "replicas agreed in 97.3 % of 5000 pairs of reads; every key converged within 0.412 s".
std::string agreement_text(const Agreement& agreement);

}  // namespace consistory
