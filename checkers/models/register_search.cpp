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

/// A register for the Linearizer: its state is its value, and the highest version so far.
struct Register {
  using Call = const Operation*;
  struct State {
    ValueId value = kNil;
    std::int64_t version = INT64_MIN;
  };

  const ValueVersions& versions;

  State initial() const { return {}; }
  std::int64_t invoke(Call call) const { return call->invoke; }
  std::int64_t complete(Call call) const { return call->is_info() ? kNever : call->complete; }
  bool changes(Call call) const { return call->updates(); }
  bool fits(Call call, const State& state) const {
    if (call->function == Function::read) return call->value == state.value;
    if (call->updates()) {
      const bool meets = call->function != Function::cas || call->expected == state.value;
      return meets && version_of(call, INT64_MAX) > state.version;
    }
    return call->has_seen() ? call->seen == state.value : call->expected != state.value;
  }
  State next(Call call, const State& state) const {
    return {written(*call), version_of(call, state.version)};
  }
  std::int64_t version_of(Call call, std::int64_t unknown) const {
    const auto found = versions.find(written(*call));
    return found == versions.end() ? unknown : found->second;
  }
  bool same(Call a, Call b) const {
    return a->function == b->function && a->value == b->value && a->expected == b->expected;
  }
  void code(const State& state, std::u32string& into) const {
    into.push_back(static_cast<char32_t>(state.value));
    if (versions.empty()) return;
    into.push_back(static_cast<char32_t>(state.version >> 32));
    into.push_back(static_cast<char32_t>(state.version));
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

std::optional<ValueVersions> versions_of_values(const History& history,
                                                const std::vector<OperationId>& operations) {
  ValueVersions versions;
  std::set<ValueId> written_once;
  std::set<std::int64_t> distinct;
  bool removes = false, initial_is_told = false;
  for (const OperationId id : operations) {
    const Operation& operation = history.operations[id];
    if (!counts(operation)) continue;
    if (operation.updates() && !written_once.insert(written(operation)).second) return std::nullopt;
    removes = removes || (operation.updates() && written(operation) == kNil);
    if (!operation.has_version()) continue;
    if (!operation.updates() && operation.function != Function::read) continue;  // it tells nothing
    const ValueId value = operation.updates() ? written(operation) : operation.value;
    initial_is_told = initial_is_told || operation.version == 0;
    if (value == kNil && operation.version == 0 && !operation.updates()) continue;
    const auto [known, fresh] = versions.try_emplace(value, operation.version);
    const bool agrees = fresh ? operation.version > 0 && distinct.insert(operation.version).second
                              : known->second == operation.version;
    if (value == kNil || !agrees) return std::nullopt;
  }
  if (removes && initial_is_told) return std::nullopt;  // nil alone does not tell which
  return versions;
}

Answer linearize_register(const History& history, const std::vector<OperationId>& operations,
                          const ValueVersions& versions, Budget& budget) {
  const Register object{versions};
  return Linearizer(object, calls_of(history, operations), budget).run();
}

}  // namespace consistory
