// Sets and counters under one order of operations, by trying every order: operation by operation,
// each read compared with what had been added by then. Shares nothing with checkers/sets/.
#include <algorithm>
#include <unordered_set>
#include <vector>

#include "checkers/oracle/oracle.h"

namespace consistory {
namespace {

using Mask = std::uint64_t;  // of operations that are done

class Orders {
 public:
  Orders(const History& history, bool real_time, std::uint64_t steps)
      : history_(history), real_time_(real_time), steps_(steps) {
    for (const Operation& operation : history.operations) {
      const bool read = operation.function == Function::read;
      const bool counts = read ? operation.outcome == Outcome::ok && !operation.local
                               : operation.outcome != Outcome::fail;
      if (counts) all_.push_back(&operation);
    }
  }

  OracleAnswer ask() {
    if (all_.size() > kOracleOperationsMax) return OracleAnswer::gave_up;
    const bool found = search(0);
    if (steps_ == 0) return OracleAnswer::gave_up;
    return found ? OracleAnswer::holds : OracleAnswer::violated;
  }

 private:
  static bool has(Mask done, std::size_t i) { return (done >> i & 1U) != 0; }

  bool search(Mask done) {
    if (steps_ == 0 || dead_.contains(done)) return false;
    --steps_;
    bool complete = true;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (has(done, i)) continue;
      complete = complete && all_[i]->is_info();  // which may never have happened
      if (can_come_next(done, i) && search(done | Mask{1} << i)) return true;
    }
    if (complete) return true;
    dead_.insert(done);
    return false;
  }

  bool can_come_next(Mask done, std::size_t next) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (i != next && !has(done, i) && must_precede(*all_[i], *all_[next])) return false;
    }
    return all_[next]->function != Function::read || shows(done, *all_[next]);
  }

  bool must_precede(const Operation& a, const Operation& b) const {
    if (a.is_info()) return false;
    const bool own = a.session == b.session && &a < &b;
    return own || (real_time_ && a.complete < b.invoke);
  }

  bool shows(Mask done, const Operation& read) const {
    std::vector<ValueId> now;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const bool there = has(done, i) && all_[i]->updates() && all_[i]->key == read.key;
      if (there) now.push_back(all_[i]->value);
    }
    const auto said = history_.elements_of(read);
    return std::is_permutation(now.begin(), now.end(), said.begin(), said.end());
  }

  const History& history_;
  bool real_time_;
  std::uint64_t steps_;
  std::vector<const Operation*> all_;
  std::unordered_set<Mask> dead_;
};

}  // namespace

OracleAnswer ask_oracle_about_sets(const History& history, std::string_view column,
                                   std::uint64_t steps) {
  if (column != "keysc") return Orders(history, column == "lin", steps).ask();
  OracleAnswer all = OracleAnswer::holds;
  for (KeyId key = 0; key < history.keys.size(); ++key) {
    std::vector<OperationId> kept;
    for (OperationId id = 0; id < history.size(); ++id) {
      if (history.operations[id].key == key) kept.push_back(id);
    }
    const OracleAnswer one = Orders(subset(history, kept), false, steps).ask();
    if (one == OracleAnswer::violated) return one;
    if (one != OracleAnswer::holds) all = one;
  }
  return all;
}

}  // namespace consistory
