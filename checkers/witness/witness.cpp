#include "checkers/witness/witness.h"

#include "checkers/sets/judge_sets.h"
#include "checkers/witness/shrink.h"

namespace consistory {

namespace {

Shrunk shrink_evidence(const History& history, const Model& model, const ModelVerdict& verdict) {
  if (verdict.evidence.empty()) return shrink(history, model, verdict);
  Shrunk shrunk = shrink(extract(history, verdict.evidence), model, verdict);
  for (OperationId& id : shrunk.original) id = verdict.evidence[id];
  return shrunk;
}

OracleAnswer ask(const History& history, const Model& model) {
  if (history.sets && asks_for_one_order(model))
    return ask_oracle_about_sets(history, model.oracle);
  if (model.guarantees) return ask_oracle_about_guarantees(history, *model.guarantees);
  return ask_oracle(history, model.oracle);
}

}  // namespace

Witness make_witness(const History& history, const Model& model, const ModelVerdict& verdict) {
  Shrunk shrunk = shrink_evidence(history, model, verdict);
  CONSISTORY_CHECK(shrunk.verdict.verdict != Verdict::holds, "a shrunk violation holds");
  const OracleAnswer recheck = ask(shrunk.history, model);
  return {std::move(shrunk.history), std::move(shrunk.original), std::move(shrunk.verdict.proof),
          shrunk.minimal, recheck};
}

}  // namespace consistory
