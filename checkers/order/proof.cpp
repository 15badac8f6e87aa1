#include "checkers/order/proof.h"

#include <algorithm>
#include <set>

namespace consistory {
namespace {

/// Beyond this many derived edges a proof is no help to anybody; shrinking finds a smaller one.
constexpr std::size_t kSupportMax = 300;

class Unfolder {
 public:
  Unfolder(const OrderGraph& graph, const std::vector<OperationId>& id_of)
      : graph_(graph), id_of_(id_of) {}

  Proof run(const std::vector<EdgeId>& cycle) {
    proof_.cycle = steps_of(rotated(cycle));
    for (const EdgeId id : cycle) support(graph_.edges()[id]);
    proof_.operations.assign(operations_.begin(), operations_.end());
    return std::move(proof_);
  }

 private:
  OperationId id(Node node) const { return node < id_of_.size() ? id_of_[node] : kNoOperation; }

  /// Starts the cycle at a real operation, so that no step spans its two ends.
  std::vector<EdgeId> rotated(std::vector<EdgeId> cycle) const {
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      if (id(graph_.edges()[cycle.front()].from) != kNoOperation) break;
      std::rotate(cycle.begin(), cycle.begin() + 1, cycle.end());
    }
    return cycle;
  }

  /// One step from each real operation to the next, over auxiliary nodes.
  std::vector<ProofStep> steps_of(const std::vector<EdgeId>& path) {
    std::vector<ProofStep> steps;
    ProofStep step;
    bool open = false;
    for (const EdgeId edge_id : path) {
      const Edge& edge = graph_.edges()[edge_id];
      if (!open) {
        step = {id(edge.from), 0, edge.why, std::nullopt};
        open = true;
      }
      if (edge.because != UINT32_MAX) {
        step.because = id(edge.because);
        step.why = edge.why;
      }
      if (id(edge.to) == kNoOperation) continue;
      step.to = id(edge.to);
      if (step.from != step.to) push(steps, step);
      open = false;
    }
    return steps;
  }

  void push(std::vector<ProofStep>& steps, const ProofStep& step) {
    steps.push_back(step);
    if (step.from != kNoOperation) operations_.insert(step.from);
    operations_.insert(step.to);
    if (step.because) operations_.insert(*step.because);
  }

  /// The path that makes a derived edge hold: to the reader, or from the update it read.
  void support(const Edge& edge) {
    if (edge.because == UINT32_MAX) return;
    if (done_.size() >= kSupportMax || !done_.insert({edge.from, edge.to}).second) return;
    std::vector<EdgeId> path;
    if (edge.why == Why::read_before) path = graph_.find_path(edge.because, edge.to, edge.round);
    else if (edge.why != Why::list_order)
      path = graph_.find_path(edge.from, edge.because, edge.round);
    for (const ProofStep& step : steps_of(path)) proof_.support.push_back(step);
    for (const EdgeId id : path) support(graph_.edges()[id]);
  }

  const OrderGraph& graph_;
  const std::vector<OperationId>& id_of_;
  Proof proof_;
  std::set<OperationId> operations_;
  std::set<std::pair<Node, Node>> done_;
};

}  // namespace

Proof unfold_cycle(const OrderGraph& graph, const std::vector<EdgeId>& cycle,
                   const std::vector<OperationId>& id_of) {
  return Unfolder(graph, id_of).run(cycle);
}

}  // namespace consistory
