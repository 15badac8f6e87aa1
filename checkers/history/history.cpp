#include "checkers/history/history.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "checkers/history/names.h"

namespace consistory {

History split_sessions_by_node(const History& history) {
  History split = history;
  split.sessions.clear();
  std::map<std::pair<SessionId, NodeId>, SessionId> ids;
  for (Operation& operation : split.operations) {
    const auto fresh = static_cast<SessionId>(split.sessions.size());
    const auto [place, added] = ids.try_emplace({operation.session, operation.node}, fresh);
    if (added) {
      const bool known = operation.node != kNoNode;
      split.sessions.push_back(history.sessions[operation.session] + "@" +
                               (known ? history.nodes[operation.node] : "?"));
    }
    operation.session = place->second;
  }
  return split;
}

bool sessions_move(const History& history) {
  std::vector<std::pair<bool, NodeId>> first(history.sessions.size(), {false, kNoNode});
  for (const Operation& operation : history.operations) {
    auto& [seen, node] = first[operation.session];
    if (seen && node != operation.node) return true;
    seen = true;
    node = operation.node;
  }
  return false;
}

void set_elements(History& history, Operation& operation, std::span<const ValueId> elements) {
  operation.list = {static_cast<std::uint32_t>(history.elements.size()),
                    static_cast<std::uint32_t>(elements.size())};
  history.elements.insert(history.elements.end(), elements.begin(), elements.end());
}

History subset(const History& history, const std::vector<OperationId>& kept) {
  History part;
  part.sessions = history.sessions;
  part.keys = history.keys;
  part.nodes = history.nodes;
  part.values = history.values;
  part.is_list = history.is_list;
  part.sets = history.sets;
  part.is_counter = history.is_counter;
  part.replica_count = history.replica_count;
  part.settled = history.settled;
  for (const OperationId id : kept) {
    const Operation& operation = history.operations[id];
    part.operations.push_back(operation);
    set_elements(part, part.operations.back(), history.elements_of(operation));
  }
  return part;
}

namespace {

using Element = std::pair<KeyId, ValueId>;

/// Elements of lists that `kept` read and that were appended, but by none of `kept`.
std::set<Element> elements_left_behind(const History& history,
                                       const std::vector<OperationId>& kept) {
  std::set<Element> shown;
  for (const OperationId id : kept) {
    const Operation& operation = history.operations[id];
    for (const ValueId element : history.elements_of(operation))
      shown.insert({operation.key, element});
  }
  std::set<Element> left;
  if (shown.empty()) return left;
  for (const Operation& operation : history.operations) {
    const bool appends = operation.function == Function::append;
    if (!appends || operation.outcome == Outcome::fail) continue;
    if (shown.contains({operation.key, operation.value}))
      left.insert({operation.key, operation.value});
  }
  for (const OperationId id : kept) {
    const Operation& operation = history.operations[id];
    if (operation.function == Function::append) left.erase({operation.key, operation.value});
  }
  return left;
}

}  // namespace

History extract(const History& history, const std::vector<OperationId>& kept) {
  const std::set<Element> left_behind = elements_left_behind(history, kept);
  History part;
  part.replica_count = history.replica_count;
  part.settled = history.settled;
  part.sets = history.sets;
  part.nodes = history.nodes;
  Names sessions(part.sessions);
  Names keys(part.keys);
  ValueInterner values(part.values);
  const auto value = [&](ValueId id) { return values.intern(history.values[id]); };
  for (const OperationId id : kept) {
    Operation operation = history.operations[id];
    std::vector<ValueId> elements;
    for (const ValueId element : history.elements_of(operation)) {
      if (!left_behind.contains({operation.key, element})) elements.push_back(value(element));
    }
    const bool list = history.is_list[operation.key];
    const bool counter = history.sets && history.is_counter[operation.key];
    operation.session = sessions.intern(history.sessions[operation.session]);
    operation.key = keys.intern(history.keys[operation.key]);
    if (operation.key == part.is_list.size()) {
      part.is_list.push_back(list);
      part.is_counter.push_back(counter);
    }
    operation.value = value(operation.value);
    operation.expected = value(operation.expected);
    if (operation.has_seen()) operation.seen = value(operation.seen);
    set_elements(part, operation, elements);
    part.operations.push_back(operation);
  }
  return part;
}

std::string value_text(const History& history, const Operation& operation) {
  if (!history.is_list[operation.key] || operation.function != Function::read) {
    return to_string(history.values[operation.value]);
  }
  const bool counter = history.sets && history.is_counter[operation.key];
  std::string text;
  std::uint64_t sum = 0;  // of increments that may be counted too often
  for (const ValueId element : history.elements_of(operation)) {
    if (!text.empty()) text += counter ? '+' : ' ';
    text += to_string(history.values[element]);
    if (counter) sum += static_cast<std::uint64_t>(history.values[element].integer);
  }
  if (counter) return text.empty() ? "0" : fmt::format("{} ({})", sum, text);
  return (history.sets ? "{" : "[") + text + (history.sets ? "}" : "]");
}

std::string operation_text(const History& history, const Operation& operation) {
  std::string text = history.sessions[operation.session] + " " +
                     std::string(name_of(operation.function)) + " " + history.keys[operation.key];
  if (operation.function == Function::cas) {
    text += " " + to_string(history.values[operation.expected]);
  }
  if (operation.function == Function::read) text += " ->";
  if (operation.function != Function::remove) text += " " + value_text(history, operation);
  if (operation.function == Function::cas && !operation.swapped && !operation.is_info()) {
    text += " -> no";
    if (operation.has_seen()) text += " " + to_string(history.values[operation.seen]);
  }
  if (operation.node != kNoNode) text += " @" + history.nodes[operation.node];
  if (operation.has_version()) text += " ver=" + std::to_string(operation.version);
  if (operation.final) text += " final";
  if (operation.local) text += " local";
  if (operation.outcome == Outcome::fail) text += " !";
  if (operation.is_info()) text += " ?";
  return text;
}

}  // namespace consistory
