#pragma once
// The convergence models in one pass over the final reads (MODELS §3.5), for histories without cas
// and deletes in which the settling was complete: then every replica has applied the same updates.

#include "checkers/fast/finding.h"

namespace consistory {

enum class FinalModel : std::uint8_t { convergence, eventual, strong_eventual };

struct FinalFinding {
  Finding::Answer answer = Finding::Answer::declined;
  std::vector<OperationId> evidence;  ///< ascending, with sources
};

/// `holds` means that nothing refutes the model; whether every replica was read is another question
/// (coverage_gap in models/convergence.h). O(n), plus the length of all lists.
FinalFinding decide_final_states(const History& history, FinalModel model);

}  // namespace consistory
