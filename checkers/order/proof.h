#pragma once
// A proof that a history violates a model, as data: a cycle of "must come before" steps, each with
// its reason, followed by the steps on which the derived ones rest. Words come later (witness/).

#include <optional>
#include <string>
#include <vector>

#include "checkers/order/graph.h"

namespace consistory {

struct ProofStep {
  OperationId from = 0;
  OperationId to = 0;
  Why why = Why::session_order;
  std::optional<OperationId> because;
};

enum class ProofShape : std::uint8_t {
  cycle,       ///< the cycle below
  thin_air,    ///< one operation returned what nobody wrote, or versions contradict each other
  disagree,    ///< reads that had to return the same returned different states
  exhaustion,  ///< every order was tried; no short certificate
};

struct Proof {
  ProofShape shape = ProofShape::cycle;
  std::vector<ProofStep> cycle;         ///< from each operation to the next, and back to the first
  std::vector<ProofStep> support;       ///< why the derived steps of the cycle hold
  std::vector<OperationId> operations;  ///< every operation that the proof mentions, ascending
};

/// Unfolds a cycle of `graph`: derived edges are traced back to the path they rest on. `id_of`
/// gives the operation of a node (kNoOperation for auxiliary ones, which are skipped over).
constexpr OperationId kNoOperation = UINT32_MAX;
Proof unfold_cycle(const OrderGraph& graph, const std::vector<EdgeId>& cycle,
                   const std::vector<OperationId>& id_of);

}  // namespace consistory
