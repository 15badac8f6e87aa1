#pragma once
// What models say of histories of sets and counters, in the terms of those that decide it: session
// guarantees, which see a list in an order that suits them (history/unordered.h), and one order of
// operations (set_order.h).
//
// Additions commute, so a view of one session and an order for all ask for the same: PRAM is the
// guarantees on sessions' own order together, and causal memory, causal convergence and weak causal
// are all four. The single guarantees in their per-session form ask a session's reads to fit into
// one sequence, whatever their order; they are not judged.

#include <optional>

#include "checkers/models/registry.h"

namespace consistory {

/// A model that, on histories of sets, says what `model` says; none if it is not judged on them.
std::optional<Model> model_for_sets(const Model& model);

/// Is it decided by judge_set_order() alone?
bool asks_for_one_order(const Model& model);

}  // namespace consistory
