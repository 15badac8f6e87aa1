#pragma once
// Serialisation: is there one sequence of some operations that respects a given order and in which
// certain reads return what they returned? Sequential consistency, linearizability, causal memory,
// PRAM, the per-key cache and the per-session views are all this question, with other operations,
// another order and other reads (MODELS §3.1-3.4, 3.6).
//
// solve() stops at the first of:
//  1. saturation (Zennou et al. 2019): with w = source(r) and w' another update of the key,
//     w' < r gives w' < w, and w < w' gives r < w'. A cycle refutes, with a proof.
//  2. the reads are a chain (one session): the saturated order is then always extensible, by laying
//     out the past of each read in turn (Bouajjani et al. 2017, for causal memory).
//  3. every update of a key that is read is ordered against all others: any linear extension
//  serves.
//  4. frontier search with memory of dead frontiers (search.h), under the step budget.
// Lists need no saturation: a list read fixes what comes before and after it.
// Complexity: 1-3 O(rounds · edges · updates / 64); 4 exponential.

#include <optional>
#include <vector>

#include "checkers/order/budget.h"
#include "checkers/order/graph.h"
#include "checkers/order/proof.h"
#include "checkers/order/resolution.h"

namespace consistory {

enum class Answer : std::uint8_t { yes, no, open };  ///< open: the budget ran out

struct Decision {
  Answer answer = Answer::open;
  Proof proof;  ///< of a no; empty where only exhaustive search can tell
};

struct Serialisation {
  explicit Serialisation(const Resolved& history);

  const Resolved* resolved;
  std::vector<bool> included;      ///< per point: takes part
  std::vector<bool> validated;     ///< per point: a reading operation whose result must be right
  bool reads_are_a_chain = false;  ///< all validated reads are ordered by `order`
  OrderGraph order;                ///< over the points, then auxiliary nodes; round 0

  void require(Node from, Node to, Why why) { order.add({from, to, why, UINT32_MAX, 0}); }
};

Decision solve(Serialisation problem, Budget& budget);

/// The operation of each node of a graph over the points of `resolved`.
std::vector<OperationId> ids_of(const Resolved& resolved, Node node_count);

/// The edges that a list read adds: its elements in order, then the read, then what it lacks.
/// `appends` are the updates of the key that take part.
class ListEdges {
 public:
  ListEdges(const Resolved& resolved, OrderGraph& graph, std::uint32_t round)
      : resolved_(resolved), graph_(graph), round_(round) {}
  /// Elements in list order, for each of `readers` of one key. Chains shared by several are added
  /// once.
  void add_chains(const std::vector<Point>& readers);
  /// Each of `readers` before what its list lacks of `appends`.
  void add_lacks(const std::vector<Point>& readers, const std::vector<Node>& appends);

 private:
  const Resolved& resolved_;
  OrderGraph& graph_;
  std::uint32_t round_;
};

}  // namespace consistory
