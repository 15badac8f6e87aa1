#pragma once
// Chooses the open write orders with a SAT solver (CaDiCaL): one variable for each two writers of a
// key whose order is open, and for each cycle that a choice brings a clause that forbids it.

#include <memory>
#include <span>

#include "checkers/transactions/saturation.h"

namespace consistory {

class OrderSolver {
 public:
  /// `position` of each node in the order that was guessed: where the search starts. Each link of
  /// each graph that is tried is a step. The references must outlive it.
  OrderSolver(const WriteOrders& orders, const WriteSaturation& saturation,
              std::span<const std::uint32_t> position, std::uint64_t steps);
  ~OrderSolver();

  Answer run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace consistory
