#include "checkers/parts.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace consistory {
namespace {

/// Marks the keys of which some value has several writers, or some read several possible sources.
class RepeatingKeys {
 public:
  explicit RepeatingKeys(const History& history) : repeats_(history.keys.size(), false) {
    std::vector<std::uint64_t> written;
    for (const Operation& operation : history.operations) {
      if (operation.outcome == Outcome::fail) continue;
      const bool mismatch = operation.function == Function::cas && !operation.updates();
      if (mismatch && !operation.has_seen()) repeats_[operation.key] = true;
      if (!operation.updates()) continue;
      const bool initial = operation.function == Function::remove || operation.value == kNil;
      if (initial) repeats_[operation.key] = true;
      written.push_back(std::uint64_t{operation.key} << 32 | operation.value);
    }
    std::sort(written.begin(), written.end());
    for (auto twin = std::adjacent_find(written.begin(), written.end()); twin != written.end();
         twin = std::adjacent_find(twin + 1, written.end()))
      repeats_[*twin >> 32] = true;
  }

  bool contains(KeyId key) const { return repeats_[key]; }

 private:
  std::vector<bool> repeats_;
};

/// Disjoint sets with path halving.
class Groups {
 public:
  explicit Groups(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }
  std::uint32_t find(std::uint32_t member) {
    while (parent_[member] != member) member = parent_[member] = parent_[parent_[member]];
    return member;
  }
  void join(std::uint32_t a, std::uint32_t b) { parent_[find(a)] = find(b); }

 private:
  std::vector<std::uint32_t> parent_;
};

}  // namespace

std::vector<OperationId> operations_of_clear_keys(const History& history) {
  const RepeatingKeys repeating(history);
  std::vector<OperationId> ids;
  for (OperationId id = 0; id < history.size(); ++id) {
    if (!repeating.contains(history.operations[id].key)) ids.push_back(id);
  }
  return ids;
}

std::vector<std::vector<OperationId>> independent_parts(const History& history) {
  const auto keys = static_cast<std::uint32_t>(history.keys.size());
  Groups groups(keys + history.sessions.size());
  for (const Operation& operation : history.operations)
    groups.join(operation.key, keys + operation.session);
  std::map<std::uint32_t, std::size_t> place;
  std::vector<std::vector<OperationId>> parts;
  for (OperationId id = 0; id < history.size(); ++id) {
    const std::uint32_t group = groups.find(history.operations[id].key);
    const auto [found, fresh] = place.try_emplace(group, parts.size());
    if (fresh) parts.emplace_back();
    parts[found->second].push_back(id);
  }
  return parts;
}

}  // namespace consistory
