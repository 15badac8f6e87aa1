#include "checkers/models/register_search.h"

#include <algorithm>
#include <set>

#include "checkers/models/linearizer.h"

namespace consistory {
namespace {

bool counts(const Operation& operation) {
  return operation.outcome != Outcome::fail &&
         !(operation.is_info() && operation.function == Function::read);
}

ValueId written(const Operation& update) {
  return update.function == Function::remove ? kNil : update.value;
}

bool is_blind_mismatch(const Operation& operation) {
  return operation.function == Function::cas && !operation.updates() && !operation.has_seen();
}

/// A register for the Linearizer: its state is its value.
struct Register {
  using Call = const Operation*;
  using State = ValueId;

  State initial() const { return kNil; }
  std::int64_t invoke(Call call) const { return call->invoke; }
  std::int64_t complete(Call call) const { return call->is_info() ? kNever : call->complete; }
  bool changes(Call call) const { return call->updates(); }
  bool fits(Call call, State value) const {
    if (call->function == Function::read) return call->value == value;
    if (call->function != Function::cas) return true;
    if (call->updates()) return call->expected == value;
    return call->has_seen() ? call->seen == value : call->expected != value;
  }
  State next(Call call, State) const { return written(*call); }
  bool same(Call a, Call b) const {
    return a->function == b->function && a->value == b->value && a->expected == b->expected;
  }
  void code(State value, std::u32string& into) const {
    into.push_back(static_cast<char32_t>(value));
  }
};

/// What can matter: what nobody can have seen may as well never have happened (MODELS §1.4).
std::vector<const Operation*> calls_of(const History& history,
                                       const std::vector<OperationId>& operations) {
  std::set<ValueId> returned;
  bool any_value = false;
  for (const OperationId id : operations) {
    const Operation& operation = history.operations[id];
    if (!counts(operation)) continue;
    any_value = any_value || is_blind_mismatch(operation);
    if (operation.function == Function::read) returned.insert(operation.value);
    if (operation.function == Function::cas)
      returned.insert(operation.updates() ? operation.expected : operation.seen);
  }
  std::vector<const Operation*> calls;
  for (const OperationId id : operations) {
    const Operation& operation = history.operations[id];
    const bool unseen = operation.is_info() && !any_value && !returned.contains(written(operation));
    if (counts(operation) && !unseen) calls.push_back(&operation);
  }
  return calls;
}

}  // namespace

bool values_repeat(const History& history, const std::vector<OperationId>& operations) {
  std::set<std::pair<KeyId, ValueId>> values;
  return std::any_of(operations.begin(), operations.end(), [&](OperationId id) {
    const Operation& operation = history.operations[id];
    if (!counts(operation)) return false;
    if (is_blind_mismatch(operation)) return true;
    if (!operation.updates()) return false;
    const bool initial = written(operation) == kNil;
    return initial || !values.insert({operation.key, written(operation)}).second;
  });
}

Answer linearize_register(const History& history, const std::vector<OperationId>& operations,
                          Budget& budget) {
  const Register object;
  return Linearizer(object, calls_of(history, operations), budget).run();
}

}  // namespace consistory
