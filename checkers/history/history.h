#pragma once
// A history: every operation of one run, with interned names. Immutable once built; any number of
// threads may read it. HistoryBuilder (builder.h) is the only maker, and it checks well-formedness.

#include <span>
#include <string>
#include <vector>

#include "checkers/history/operation.h"
#include "checkers/history/value_table.h"

namespace consistory {

struct History {
  std::vector<Operation> operations;  ///< sorted by invocation; session order is a subsequence
  std::vector<std::string> sessions;
  std::vector<std::string> keys;
  std::vector<std::string> nodes;  ///< the first `replica_count` are the replica set
  ValueTable values;               ///< values[0] is nil
  std::vector<ValueId> elements;   ///< of all list reads, one after the other
  std::vector<bool> is_list;       ///< per key: a list for its whole life, else a register
  std::size_t replica_count = 0;   ///< 0: not stated; the nodes seen in final reads count
  /// All keys are sets or counters, kept as lists; per key: is it a counter?
  bool sets = false;
  std::vector<bool> is_counter;
  bool settled = true;  ///< the final reads saw no work in flight (MODELS D6)

  std::size_t size() const { return operations.size(); }
  /// What a list read returned; empty for other operations. Valid while the history is unchanged.
  std::span<const ValueId> elements_of(const Operation& operation) const {
    return {elements.data() + operation.list.begin, operation.list.size};
  }
};

/// The same history with each (session, node) pair as a session of its own (MODELS D9).
History split_sessions_by_node(const History& history);
/// Does some session ask more than one node?
bool sessions_move(const History& history);
/// Makes `elements`, which must not lie in the history itself, what the operation returned.
void set_elements(History& history, Operation& operation, std::span<const ValueId> elements);
/// Only the given operations, ascending; names are kept.
History subset(const History& history, const std::vector<OperationId>& kept);

/// A few operations of a large history, ascending, as one by itself, with no other names and values
/// in it. Lists lose the elements whose appends are left behind (MODELS §5, step 5). O(n).
History extract(const History& history, const std::vector<OperationId>& kept);

/// `[1 2]`, `7`, `nil`: the value an operation wrote or returned. Raw bytes: escape before showing.
std::string value_text(const History& history, const Operation& operation);
/// One operation in the test language of text.h. Raw bytes: escape before showing.
std::string operation_text(const History& history, const Operation& operation);

}  // namespace consistory
