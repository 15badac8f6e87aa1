#include "checkers/order/resolution.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace consistory {
namespace {

/// One value to explain: a register read, a cas, or one element of a list read.
struct Slot {
  std::uint32_t reader = 0;   // index into base_
  std::uint32_t element = 0;  // position in a list
  std::vector<std::uint32_t> candidates;
};
constexpr std::uint32_t kInit = UINT32_MAX;
/// assign() goes one call deeper for each ambiguous value; more of them count as out of budget.
constexpr std::size_t kAmbiguousMax = 5'000;

class Enumerator {
 public:
  Enumerator(const History& history, const ResolveScope& scope, Budget& budget,
             const std::function<bool(const Resolved&)>& visit)
      : history_(history), scope_(scope), budget_(budget), visit_(visit) {
    for (const OperationId id : scope.operations) {
      const Operation& operation = history.operations[id];
      if (operation.outcome == Outcome::fail) continue;
      if (operation.is_info() && operation.function == Function::read) continue;
      base_.push_back(id);
    }
    index_updates();
  }

  ResolveResult run() {
    sources_.resize(base_.size());
    active_.assign(base_.size(), false);
    repeats_.assign(base_.size(), false);
    for (std::uint32_t i = 0; i < base_.size(); ++i) {
      if (at(i).is_info() || active_[i]) continue;
      if (!activate(i)) return result_;
    }
    result_.unexplained.clear();
    const bool go_on = assign(0);
    if (!go_on) {
      const bool gave_up = budget_.exhausted() || too_deep_;
      result_.end = gave_up ? ResolveEnd::out_of_budget : ResolveEnd::stopped;
    }
    return result_;
  }

 private:
  const Operation& at(std::uint32_t base) const { return history_.operations[base_[base]]; }
  bool reads(std::uint32_t base) const {
    const Operation& operation = at(base);
    return operation.reads() && !(scope_.ignore_cas_reads && operation.updates());
  }

  void index_updates() {
    for (std::uint32_t i = 0; i < base_.size(); ++i) {
      const Operation& operation = at(i);
      if (!operation.updates()) continue;
      const ValueId value = operation.function == Function::remove ? kNil : operation.value;
      by_value_[slot_key(operation.key, value)].push_back(i);
      by_key_[operation.key].push_back(i);
    }
  }
  static std::uint64_t slot_key(KeyId key, ValueId value) {
    return static_cast<std::uint64_t>(key) << 32 | value;
  }

  bool version_fits(const Operation& reader, const Operation& update) const {
    if (reader.function != Function::read || !reader.has_version() || history_.is_list[reader.key])
      return true;
    return !update.has_version() || update.version == reader.version;
  }

  std::vector<std::uint32_t> writers_of(std::uint32_t reader, ValueId value) const {
    std::vector<std::uint32_t> candidates;
    const auto found = by_value_.find(slot_key(at(reader).key, value));
    if (found == by_value_.end()) return candidates;
    for (const std::uint32_t update : found->second) {
      if (update != reader && version_fits(at(reader), at(update))) candidates.push_back(update);
    }
    return candidates;
  }

  std::vector<std::uint32_t> register_candidates(std::uint32_t reader) const {
    const Operation& operation = at(reader);
    const bool mismatch = operation.function == Function::cas && !operation.updates();
    ValueId value = operation.function == Function::cas ? operation.expected : operation.value;
    if (mismatch && operation.has_seen()) value = operation.seen;
    const bool anything_but = mismatch && !operation.has_seen();
    std::vector<std::uint32_t> candidates;
    if (anything_but) {
      const std::vector<std::uint32_t> matching = writers_of(reader, value);
      const auto all = by_key_.find(operation.key);
      if (all != by_key_.end()) {
        std::set_difference(all->second.begin(), all->second.end(), matching.begin(),
                            matching.end(), std::back_inserter(candidates));
      }
    } else {
      candidates = writers_of(reader, value);
    }
    const bool nil_fits = (value == kNil) != anything_but;
    const bool initial_version =
        operation.function != Function::read || !operation.has_version() || operation.version == 0;
    if (nil_fits && initial_version) candidates.push_back(kInit);
    likeliest_first(reader, candidates);
    return candidates;
  }

  /// Real histories read what was written last: that first, then older ones, then later ones. INIT
  /// comes first as long as nothing of the key had completed.
  void likeliest_first(std::uint32_t reader, std::vector<std::uint32_t>& candidates) const {
    const Operation& operation = at(reader);
    const auto all = by_key_.find(operation.key);
    const bool written = all != by_key_.end() &&
                         std::any_of(all->second.begin(), all->second.end(),
                                     [&](auto u) { return at(u).complete < operation.invoke; });
    const auto rank = [&](std::uint32_t candidate) -> std::pair<int, std::int64_t> {
      if (candidate == kInit) return {written ? 2 : 0, 0};
      const std::int64_t invoke = at(candidate).invoke;
      return invoke < operation.complete ? std::pair{1, -invoke} : std::pair{3, invoke};
    };
    if (candidates.size() < 2) return;
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  }

  /// Gives `reader` its forced sources and queues its ambiguous ones; false: nothing can explain
  /// it.
  bool activate(std::uint32_t reader) {
    active_[reader] = true;
    activated_.push_back(reader);
    if (!reads(reader)) return true;
    const Operation& operation = at(reader);
    if (!history_.is_list[operation.key]) {
      sources_[reader].assign(1, kInit);
      return offer({reader, 0, register_candidates(reader)});
    }
    const std::span<const ValueId> elements = history_.elements_of(operation);
    sources_[reader].assign(elements.size(), kInit);
    repeats_[reader] = has_repeats({elements.begin(), elements.end()});
    for (std::uint32_t i = 0; i < elements.size(); ++i) {
      if (!offer({reader, i, writers_of(reader, elements[i])})) return false;
    }
    return true;
  }

  static bool has_repeats(std::vector<ValueId> elements) {
    std::sort(elements.begin(), elements.end());
    return std::adjacent_find(elements.begin(), elements.end()) != elements.end();
  }

  bool offer(Slot slot) {
    if (slot.candidates.empty()) {
      blame({base_[slot.reader]});
      return false;
    }
    if (slot.candidates.size() > 1) {
      ambiguous_.push_back(std::move(slot));
      return true;
    }
    return choose(slot, slot.candidates.front());
  }

  bool choose(const Slot& slot, std::uint32_t source) {
    std::vector<std::uint32_t>& sources = sources_[slot.reader];
    if (repeats_[slot.reader] && !claim_element(slot, source)) return false;
    sources[slot.element] = source;
    return source == kInit || active_[source] || activate(source);
  }

  /// A list holds an append once: false if another element of this read already is `source`.
  bool claim_element(const Slot& slot, std::uint32_t source) {
    for (std::uint32_t i = 0; i < sources_[slot.reader].size(); ++i) {
      if (i != slot.element && sources_[slot.reader][i] == source) {
        blame({base_[slot.reader]});
        return false;
      }
    }
    return true;
  }

  void blame(std::vector<OperationId> operations) {
    if (result_.unexplained.empty()) result_.unexplained = std::move(operations);
  }

  struct Checkpoint {
    std::size_t activated, ambiguous;
  };
  void rewind(const Checkpoint& to) {
    while (activated_.size() > to.activated) {
      active_[activated_.back()] = false;
      sources_[activated_.back()].clear();
      activated_.pop_back();
    }
    ambiguous_.resize(to.ambiguous);
  }

  /// Depth first over the ambiguous slots from `next` on; false: stop everything.
  bool assign(std::size_t next) {
    too_deep_ = too_deep_ || next >= kAmbiguousMax;
    if (too_deep_ || !budget_.spend()) return false;
    if (next == ambiguous_.size()) return deliver();
    const Slot slot = ambiguous_[next];  // a copy: deeper levels grow the vector
    for (const std::uint32_t candidate : slot.candidates) {
      const Checkpoint here{activated_.size(), ambiguous_.size()};
      const std::uint32_t before = sources_[slot.reader][slot.element];
      const bool possible = choose(slot, candidate);
      const bool go_on = !possible || assign(next + 1);
      rewind(here);
      sources_[slot.reader][slot.element] = before;
      if (!go_on) return false;
    }
    return true;
  }

  bool deliver() {
    Resolved resolved = build();
    if (!settle_versions(resolved)) return true;
    ++result_.tried;
    if (!budget_.spend(resolved.size())) return false;
    return visit_(resolved);
  }

  Resolved build() const {
    Resolved resolved;
    resolved.history = &history_;
    std::vector<Point> point_of(base_.size(), kNoPoint);
    for (std::uint32_t i = 0; i < base_.size(); ++i) {
      if (!active_[i]) continue;
      point_of[i] = resolved.size();
      const Operation& operation = at(i);
      ResolvedOperation point;
      point.id = base_[i];
      point.session = operation.session;
      point.key = operation.key;
      point.updates = operation.updates();
      point.reads = reads(i);
      point.info = operation.is_info();
      point.list = history_.is_list[operation.key];
      point.invoke = operation.invoke;
      point.complete = operation.complete;
      if (point.updates && operation.has_version()) point.version = operation.version;
      resolved.points.push_back(std::move(point));
    }
    for (std::uint32_t i = 0; i < base_.size(); ++i) {
      if (!active_[i]) continue;
      for (const std::uint32_t source : sources_[i]) {
        if (source != kInit) resolved.points[point_of[i]].sources.push_back(point_of[source]);
      }
    }
    link_sessions(resolved);
    return resolved;
  }

  void link_sessions(Resolved& resolved) const {
    std::vector<Point> last(history_.sessions.size(), kNoPoint);
    std::vector<std::uint32_t> count(history_.sessions.size(), 0);
    for (Point i = 0; i < resolved.size(); ++i) {
      ResolvedOperation& point = resolved.points[i];
      point.previous = last[point.session];
      point.position = count[point.session]++;
      if (!point.info) last[point.session] = i;
    }
  }

  /// A read reveals its source's version; false if versions contradict each other.
  bool settle_versions(Resolved& resolved) {
    for (const ResolvedOperation& point : resolved.points) {
      const Operation& operation = history_.operations[point.id];
      if (point.list || operation.function != Function::read || !operation.has_version()) continue;
      if (point.sources.empty()) continue;
      std::optional<std::int64_t>& version = resolved.points[point.sources[0]].version;
      if (!version) version = operation.version;
      if (*version != operation.version) {
        blame({point.id, resolved[point.sources[0]].id});
        return false;
      }
    }
    std::map<std::pair<KeyId, std::int64_t>, Point> seen;
    for (Point i = 0; i < resolved.size(); ++i) {
      if (!resolved[i].updates || !resolved[i].version) continue;
      const auto [first, fresh] = seen.try_emplace({resolved[i].key, *resolved[i].version}, i);
      if (fresh && *resolved[i].version != 0) continue;
      blame({resolved[first->second].id, resolved[i].id});
      return false;
    }
    return true;
  }

  const History& history_;
  const ResolveScope& scope_;
  Budget& budget_;
  const std::function<bool(const Resolved&)>& visit_;
  std::vector<OperationId> base_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_value_;
  std::unordered_map<KeyId, std::vector<std::uint32_t>> by_key_;
  std::vector<std::vector<std::uint32_t>> sources_;
  std::vector<bool> active_;
  std::vector<bool> repeats_;  // list reads that show some value twice
  std::vector<std::uint32_t> activated_;
  std::vector<Slot> ambiguous_;
  ResolveResult result_;
  bool too_deep_ = false;
};

}  // namespace

ResolveResult for_each_resolution(const History& history, const ResolveScope& scope, Budget& budget,
                                  const std::function<bool(const Resolved&)>& visit) {
  return Enumerator(history, scope, budget, visit).run();
}

ResolveScope ordinary_scope(const History& history) {
  ResolveScope scope;
  for (OperationId id = 0; id < history.size(); ++id) {
    if (!history.operations[id].local) scope.operations.push_back(id);
  }
  return scope;
}

}  // namespace consistory
