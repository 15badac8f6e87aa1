#include "checkers/witness/witness.h"

#include "checkers/witness/shrink.h"

namespace consistory {

Witness make_witness(const History& history, const Model& model, const Proof& proof) {
  Shrunk shrunk = shrink(history, model, proof.operations);
  CONSISTORY_CHECK(shrunk.verdict.verdict != Verdict::holds, "a shrunk violation holds");
  return {std::move(shrunk.history), std::move(shrunk.original), std::move(shrunk.verdict.proof),
          shrunk.minimal};
}

}  // namespace consistory
