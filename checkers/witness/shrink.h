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

/// `verdict` is the model's on `history`: violated. The search starts at the operations of its
/// proof and widens if it must. Where time or memory run out, what is smallest so far is the
/// answer.
Shrunk shrink(const History& history, const Model& model, const ModelVerdict& verdict);

}  // namespace consistory
