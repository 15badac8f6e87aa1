#include "checkers/oracle/oracle.h"

#include <algorithm>
#include <map>
#include <set>

#include "checkers/oracle/definitions.h"

namespace consistory {
namespace {

using oracle::Differentiated;
using oracle::Scope;
using oracle::Steps;
using Definition = std::function<bool(const Differentiated&, Steps&)>;

bool counts(const Operation& operation) {
  const bool unknown_read = operation.is_info() && operation.function == Function::read;
  return operation.outcome != Outcome::fail && !unknown_read;
}
bool is_final(const Operation& operation) {
  return operation.final && operation.outcome == Outcome::ok;
}

Scope scope_of(const History& history, const std::function<bool(const Operation&)>& takes_part) {
  Scope scope;
  for (const Operation& operation : history.operations) {
    if (counts(operation) && takes_part(operation)) scope.ops.push_back(&operation);
  }
  return scope;
}

OracleAnswer answer_of(std::optional<bool> holds) {
  if (!holds) return OracleAnswer::gave_up;
  return *holds ? OracleAnswer::holds : OracleAnswer::violated;
}

OracleAnswer ask(const History& history, const Scope& scope, std::uint64_t limit,
                 const Definition& definition) {
  if (scope.ops.size() > kOracleOperationsMax) return OracleAnswer::gave_up;
  Steps steps{limit};
  return answer_of(oracle::any_differentiated(
      history, scope, steps, [&](const Differentiated& it) { return definition(it, steps); }));
}

bool covered(const History& history) {
  std::set<NodeId> nodes;
  for (std::size_t i = 0; i < history.replica_count; ++i) nodes.insert(static_cast<NodeId>(i));
  std::set<KeyId> keys;
  std::set<std::pair<KeyId, NodeId>> read;
  for (const Operation& operation : history.operations) {
    if (!counts(operation)) continue;
    if (operation.updates() || is_final(operation)) keys.insert(operation.key);
    if (!is_final(operation)) continue;
    read.insert({operation.key, operation.node});
    if (history.replica_count == 0) nodes.insert(operation.node);
  }
  return std::all_of(keys.begin(), keys.end(), [&](KeyId key) {
    return std::all_of(nodes.begin(), nodes.end(), [&](NodeId node) {
      return read.contains({key, node});
    });
  });
}

bool finals_agree(const History& history) {
  std::map<KeyId, const Operation*> first;
  for (const Operation& operation : history.operations) {
    if (!is_final(operation)) continue;
    const Operation& other = *first.try_emplace(operation.key, &operation).first->second;
    const auto a = history.elements_of(operation);
    const auto b = history.elements_of(other);
    if (operation.value != other.value || !std::equal(a.begin(), a.end(), b.begin(), b.end()))
      return false;
  }
  return true;
}

OracleAnswer ask_eventual(const History& history, bool all_reads, std::uint64_t steps) {
  const Scope scope = scope_of(history, [&](const Operation& operation) {
    return all_reads || operation.updates() || is_final(operation);
  });
  return ask(history, scope, steps, [&](const Differentiated& it, Steps&) {
    return oracle::eventual(it, history.settled) && (!all_reads || oracle::same_order(it));
  });
}

OracleAnswer ask_convergence(const History& history, std::uint64_t steps) {
  Scope scope = scope_of(history, [](const Operation& operation) {
    return operation.updates() || is_final(operation);
  });
  scope.blind_cas = true;
  const OracleAnswer explained =
      ask(history, scope, steps, [](const Differentiated&, Steps&) { return true; });
  if (explained != OracleAnswer::holds || finals_agree(history)) return explained;
  return history.settled ? OracleAnswer::violated : ask_eventual(history, false, steps);
}

OracleAnswer ask_quiescent(const History& history, std::string_view column, std::uint64_t steps) {
  const bool any = std::any_of(history.operations.begin(), history.operations.end(), is_final);
  if (!any) return OracleAnswer::not_checked;
  OracleAnswer answer =
      column == "conv" ? ask_convergence(history, steps) : ask_eventual(history, false, steps);
  if (column == "sec" && answer == OracleAnswer::holds) answer = ask_eventual(history, true, steps);
  const bool gap = answer == OracleAnswer::holds && !covered(history);
  return gap ? OracleAnswer::not_checked : answer;
}

const std::map<std::string_view, Definition>& definitions() {
  const auto view = [](unsigned set) {
    return [set](const Differentiated& it, Steps& steps) {
      return oracle::guarantee_view(it, set, steps);
    };
  };
  static const std::map<std::string_view, Definition> table = {
      {"lin", oracle::linearizable},
      {"sc", oracle::sequential},
      {"keysc", oracle::per_key_sequential},
      {"pram", oracle::pram},
      {"cc", oracle::weak_causal},
      {"cm", oracle::causal_memory},
      {"ccv", oracle::causal_convergence},
      {"rval", [](const Differentiated&, Steps&) { return true; }},
      {"mr_v", view(1)},
      {"mw_v", view(2)},
      {"ryw_v", view(4)},
      {"wfr_v", view(8)},
  };
  return table;
}

Scope ordinary(const History& history) {
  return scope_of(history, [](const Operation& operation) { return !operation.local; });
}

}  // namespace

OracleAnswer ask_oracle(const History& history, std::string_view column, std::uint64_t steps) {
  if (column == "conv" || column == "ec" || column == "sec")
    return ask_quiescent(history, column, steps);
  const auto found = definitions().find(column);
  if (found == definitions().end()) return OracleAnswer::gave_up;
  return ask(history, ordinary(history), steps, found->second);
}

OracleAnswer ask_oracle_about_guarantees(const History& history, unsigned set,
                                         std::uint64_t steps) {
  return ask(history, ordinary(history), steps,
             [set](const Differentiated& it, Steps&) { return oracle::guarantees(it, set); });
}

}  // namespace consistory
