#pragma once
// Shrinking a violating history by the safe deletions of MODELS §5: a read; an update together with
// all that may have read it; a list element everywhere. If H satisfies a model so does every result
// of a safe deletion, so a violating remainder really refutes H.

#include <vector>

#include "checkers/models/registry.h"

namespace consistory {

struct Shrunk {
  History history;                    ///< the remainder
  std::vector<OperationId> original;  ///< per operation of the remainder: its id in the whole
  ModelVerdict verdict;               ///< of the remainder: violated
  bool minimal = false;               ///< no single safe deletion keeps the violation
};

/// `seed` is where the violation was seen; the search starts there and widens if it must.
Shrunk shrink(const History& history, const Model& model, const std::vector<OperationId>& seed);

}  // namespace consistory
