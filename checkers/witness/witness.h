#pragma once
// A witness: the few operations that refute a model, why, and the same in words (DESIGN §4.4).

#include <string>
#include <vector>

#include "checkers/models/registry.h"
#include "checkers/oracle/oracle.h"

namespace consistory {

struct Witness {
  History history;                    ///< the operations alone; lists shortened to what matters
  std::vector<OperationId> original;  ///< their ids in the whole history
  Proof proof;                        ///< over `history`
  bool minimal = false;               ///< no single deletion keeps the violation
  OracleAnswer recheck = OracleAnswer::gave_up;  ///< what the oracle says of `history`
};

/// `verdict` is the model's, violated, on `history`.
Witness make_witness(const History& history, const Model& model, const ModelVerdict& verdict);

/// "a", "b", … "z", "aa": how explanations call the operations of a witness.
std::string letter(OperationId id);

/// "session 4 wrote k7 = 318 on n1": escaped for terminals.
std::string describe(const History& history, const Operation& operation);

/// The stable name of a reason, for JSON: "reads-from".
std::string_view why_name(Why why);

/// One sentence that says what broke.
std::string headline(const Witness& witness, const Model& model);

/// What the second, independent program made of the witness, in a sentence.
std::string recheck_text(const Witness& witness);

/// The proof, one sentence a step; empty for violations that only exhaustive search can tell.
std::vector<std::string> reasons(const Witness& witness);

}  // namespace consistory
