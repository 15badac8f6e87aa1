#include "checkers/anomalies.h"

#include <tsl/robin_map.h>
#include <tsl/robin_set.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/parallel.h"
#include "checkers/fast/sight.h"
#include "checkers/staleness.h"

namespace consistory {
namespace {

constexpr OperationId kNobody = UINT32_MAX;
constexpr OperationId kSeveral = kNobody - 1;
/// Appends looked up in final reads; a few nodes read each list once, and more tell nothing new.
constexpr std::size_t kLookupsMax = 20'000'000;
constexpr std::size_t kClasses = 12;

struct Row {
  std::string_view name;
  std::string_view forbidden_by;
  std::string_view meaning;
};
constexpr std::array<Row, kClasses> kRows = {{
    {"thin-air-read", "read-values", "returned what nobody wrote (Bouajjani et al. 2017)"},
    {"future-read", "linearizable",
     "was complete before the update whose value it returned was invoked"},
    {"stale-read", "linearizable",
     "returned a value although a newer one was complete before it was invoked (Herlihy and Wing "
     "1990)"},
    {"non-monotonic-read", "monotonic-reads",
     "returned to an older state than its session had read before (Terry et al. 1994)"},
    {"own-write-missed", "sessions",
     "missed an acknowledged update of its own session (Terry et al. 1994)"},
    {"overwritten-read", "weak-causal",
     "returned a value that it had to know to be overwritten: WriteCORead (Bouajjani et al. 2017)"},
    {"list-order-conflict", "cache",
     "showed elements in an order that another read contradicts (Kingsbury and Alvaro 2020)"},
    {"list-gap", "cache",
     "lacked an element that stands before one it showed (Kingsbury and Alvaro 2020)"},
    {"repeated-element", "read-values", "showed an element twice (Kingsbury and Alvaro 2020)"},
    {"lost-update", "cache",
     "swapped from a value that another swap had taken already: P4 (Berenson et al. 1995)"},
    {"lost-append", "eventual", "was acknowledged, and a final read lacks it"},
    {"divergence", "convergence", "was left with nodes that disagree (Viotti and Vukolic 2016)"},
}};

/// One class as it fills.
struct Tally {
  AnomalyGroup group;
  std::vector<bool> keys, sessions;  // met
};

/// What a session knows of a key, in its own order.
struct Known {
  ValueId last_read = kNoValue;  // of a register
  OperationId last_reader = kNobody;
  OperationId last_update = kNobody;  // acknowledged
  std::int64_t version = kNoVersion;  // the highest that it read
  OperationId version_reader = kNobody;
};

class Grouping {
 public:
  Grouping(const History& history, const AnomalySet& wanted) : history_(history), wanted_(wanted) {
    for (auto& writers : writer_) writers.assign(history.values.size(), kNobody);
    for (OperationId id = 0; id < history.size(); ++id) note_writer(id);
  }

  std::vector<AnomalyGroup> take() {
    using enum Anomaly;
    std::vector<void (Grouping::*)()> looks;  // each has classes and tables of its own
    if (wants({thin_air_read, future_read, non_monotonic_read, own_write_missed, repeated_element,
               lost_update}))
      looks.push_back(&Grouping::look_at_operations);
    if (wants({stale_read})) looks.push_back(&Grouping::look_at_stale_reads);
    if (!history_.sets && wants({list_order_conflict, list_gap}))
      looks.push_back(&Grouping::look_at_lists);
    if (wants({lost_append, divergence})) looks.push_back(&Grouping::look_at_finals);
    if (wants({overwritten_read})) looks.push_back(&Grouping::look_at_causality);
    in_parallel(looks.size(), [&](std::size_t look, std::size_t) { (this->*looks[look])(); });
    std::vector<AnomalyGroup> groups;
    for (Tally& tally : tallies_) {
      if (tally.group.count == 0) continue;
      tally.group.keys = count(tally.keys);
      tally.group.sessions = count(tally.sessions);
      groups.push_back(std::move(tally.group));
    }
    return groups;
  }

 private:
  void look_at_operations() {
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = at(id);
      if (operation.outcome != Outcome::ok || operation.local) continue;
      if (operation.function == Function::read) look_at_read(id);
      if (operation.function == Function::cas && operation.updates()) look_at_swap(id);
      if (operation.updates()) known(operation).last_update = id;
    }
  }

  void look_at_stale_reads() {
    for (const StaleRead& stale : stale_reads(history_))
      add(Anomaly::stale_read, stale.read, {stale.returned, stale.newer});
  }

  /// Reads of one list agree if each is a beginning of the longest.
  void look_at_lists() {
    std::vector<OperationId> longest(history_.keys.size(), kNobody);
    for_each_list([&](OperationId id) {
      OperationId& most = longest[at(id).key];
      if (most == kNobody || at(id).list.size > at(most).list.size) most = id;
    });
    for_each_list([&](OperationId id) {
      const auto mine = history_.elements_of(at(id));
      const auto whole = history_.elements_of(at(longest[at(id).key]));
      if (std::equal(mine.begin(), mine.end(), whole.begin())) return;
      const bool gap = is_subsequence(mine, whole);
      add(gap ? Anomaly::list_gap : Anomaly::list_order_conflict, id, {longest[at(id).key]});
    });
  }

  void look_at_finals() {
    std::vector<OperationId> first(history_.keys.size(), kNobody);
    std::vector<bool> apart(history_.keys.size(), false);
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& read = at(id);
      if (!read.final || read.outcome != Outcome::ok) continue;
      OperationId& one = first[read.key];
      if (one == kNobody) one = id;
      if (history_.is_list[read.key]) note_lost(id);
      if (apart[read.key] || same_state(one, id)) continue;
      apart[read.key] = true;
      add(Anomaly::divergence, id, {one});
    }
    for (const auto& [append, final] : lost_) add(Anomaly::lost_append, append, {final});
  }

  void look_at_causality() {
    Trace::Refusal refusal;
    const std::optional<Trace> trace = Trace::of(history_, refusal);
    if (!trace) return;
    std::vector<Point> cycle;
    const auto causal = Visibility::of(*trace, kAllGuarantees, cycle);
    if (!causal) return;
    for (KeyId key = 0; key < trace->keys(); ++key) {
      if (!trace->is_list(key)) look_at_overwritten(*trace, *causal, KeySight(*trace, key), key);
    }
  }

  const Operation& at(OperationId id) const { return history_.operations[id]; }

  void note_writer(OperationId id) {
    const Operation& update = at(id);
    if (!update.updates() || update.outcome == Outcome::fail) return;
    const ValueId value = update.function == Function::remove ? kNil : update.value;
    OperationId& writer = writers(update.key)[value];
    writer = writer == kNobody ? id : kSeveral;
  }

  /// Who wrote what a read of the key returned: an update, kNobody, or kSeveral.
  OperationId writer_of(KeyId key, ValueId value) const {
    const OperationId writer = writer_[history_.is_list[key] ? 1 : 0][value];
    return writer < kSeveral && at(writer).key != key ? kNobody : writer;
  }

  std::vector<OperationId>& writers(KeyId key) { return writer_[history_.is_list[key] ? 1 : 0]; }

  Known& known(const Operation& operation) {
    return known_[std::uint64_t{operation.session} << 32 | operation.key];
  }

  static std::size_t count(const std::vector<bool>& met) {
    return static_cast<std::size_t>(std::count(met.begin(), met.end(), true));
  }

  bool wants(std::initializer_list<Anomaly> anomalies) const {
    return std::any_of(anomalies.begin(), anomalies.end(), wanted_);
  }

  void add(Anomaly anomaly, OperationId id, std::vector<OperationId> with) {
    if (!wanted_(anomaly)) return;
    Tally& tally = tallies_[static_cast<std::size_t>(anomaly)];
    tally.keys.resize(history_.keys.size());
    tally.sessions.resize(history_.sessions.size());
    tally.keys[at(id).key] = true;
    tally.sessions[at(id).session] = true;
    if (tally.group.count++ > 0) return;
    tally.group.anomaly = anomaly;
    tally.group.first_ns = at(id).invoke_ns;
    with.push_back(id);
    std::erase_if(with, [](OperationId other) { return other >= kSeveral; });
    std::sort(with.begin(), with.end());
    with.erase(std::unique(with.begin(), with.end()), with.end());
    tally.group.example = std::move(with);
  }

  void look_at_read(OperationId id) {
    if (history_.is_list[at(id).key]) return look_at_list_read(id);
    const Operation& read = at(id);
    const OperationId writer = read.value == kNil ? kNobody : writer_of(read.key, read.value);
    if (read.value != kNil && writer == kNobody) return add(Anomaly::thin_air_read, id, {});
    if (writer < kSeveral && at(writer).invoke > read.complete)
      add(Anomaly::future_read, id, {writer});
    if (writer == kSeveral) return;
    const bool maybe_deleted = read.value == kNil && writer_[0][kNil] != kNobody;
    if (maybe_deleted) return;
    look_at_session(id, writer);
  }

  /// `writer` of what it returned, kNobody for the initial value.
  void look_at_session(OperationId id, OperationId writer) {
    const Operation& read = at(id);
    Known& mine = known(read);
    const bool moved = mine.last_reader != kNobody && mine.last_read != read.value;
    if (moved) left_.insert(code(read, mine.last_read));
    const bool back = moved && (writer == kNobody || left_.contains(code(read, read.value)));
    const bool lower =
        read.has_version() && mine.version != kNoVersion && read.version < mine.version;
    if (back || lower)
      add(Anomaly::non_monotonic_read, id, {writer, back ? mine.last_reader : mine.version_reader});
    look_for_own_write(id, writer, mine);
    mine.last_read = read.value;
    mine.last_reader = id;
    if (!read.has_version() || (mine.version != kNoVersion && read.version <= mine.version)) return;
    mine.version = read.version;
    mine.version_reader = id;
  }

  void look_for_own_write(OperationId id, OperationId writer, const Known& mine) {
    if (mine.last_update == kNobody || writer == mine.last_update) return;
    const Operation& own = at(mine.last_update);
    const Operation& read = at(id);
    // One that was lost may land after any later one.
    const bool own_older = writer != kNobody && at(writer).outcome == Outcome::ok &&
                           at(writer).session == read.session && writer < mine.last_update;
    const bool lower = own.has_version() && read.has_version() && read.version < own.version;
    if (writer == kNobody || own_older || lower)
      add(Anomaly::own_write_missed, id, {writer, mine.last_update});
  }

  /// A value that has one writer has one key, too.
  static std::uint64_t code(const Operation& read, ValueId value) {
    return std::uint64_t{read.session} << 32 | value;
  }

  void look_at_list_read(OperationId id) {
    const Operation& read = at(id);
    const auto elements = history_.elements_of(read);
    std::set<ValueId> shown;
    for (const ValueId element : elements) {
      const OperationId writer = writer_of(read.key, element);
      if (writer == kNobody) return add(Anomaly::thin_air_read, id, {});
      if (!shown.insert(element).second)
        return writer < kSeveral ? add(Anomaly::repeated_element, id, {writer}) : void();
      if (writer < kSeveral && at(writer).invoke > read.complete)
        return add(Anomaly::future_read, id, {writer});
    }
    Known& mine = known(read);
    if (mine.last_reader != kNobody && lacks_some(shown, mine.last_reader))
      add(Anomaly::non_monotonic_read, id, {mine.last_reader});
    if (mine.last_update != kNobody && !shown.contains(at(mine.last_update).value))
      add(Anomaly::own_write_missed, id, {mine.last_update});
    mine.last_reader = id;
  }

  bool lacks_some(const std::set<ValueId>& shown, OperationId before) const {
    const auto elements = history_.elements_of(at(before));
    return std::any_of(elements.begin(), elements.end(),
                       [&](ValueId element) { return !shown.contains(element); });
  }

  static bool is_subsequence(std::span<const ValueId> part, std::span<const ValueId> whole) {
    auto at = whole.begin();
    return std::all_of(part.begin(), part.end(), [&](ValueId element) {
      at = std::find(at, whole.end(), element);
      return at != whole.end() && at++ != whole.end();
    });
  }

  /// No two swaps can both have taken a value that was there once.
  void look_at_swap(OperationId id) {
    const Operation& swap = at(id);
    const bool once = swap.expected == kNil ? writer_[0][kNil] == kNobody
                                            : writer_of(swap.key, swap.expected) < kSeveral;
    if (!once) return;
    const auto [first, fresh] = takers_.try_emplace({swap.key, swap.expected}, id);
    if (!fresh) add(Anomaly::lost_update, id, {first->second});
  }

  template <class Visit>
  void for_each_list(const Visit& visit) const {
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& read = at(id);
      const bool counts = read.function == Function::read && read.outcome == Outcome::ok &&
                          history_.is_list[read.key] && !read.local;
      if (counts) visit(id);
    }
  }

  bool same_state(OperationId a, OperationId b) const {
    const auto left = history_.elements_of(at(a));
    const auto right = history_.elements_of(at(b));
    return at(a).value == at(b).value &&
           std::equal(left.begin(), left.end(), right.begin(), right.end());
  }

  void note_lost(OperationId final) {
    if (appends_.empty()) {
      appends_.resize(history_.keys.size());
      for (OperationId id = 0; id < history_.size(); ++id) {
        const Operation& append = at(id);
        if (append.function == Function::append && append.outcome == Outcome::ok)
          appends_[append.key].push_back(id);
      }
    }
    const auto elements = history_.elements_of(at(final));
    const std::set<ValueId> shown(elements.begin(), elements.end());
    lookups_ += appends_[at(final).key].size();
    if (lookups_ > kLookupsMax) return;
    for (const OperationId append : appends_[at(final).key]) {
      if (!shown.contains(at(append).value)) lost_.try_emplace(append, final);
    }
  }

  /// Of each session the last update that a read sees: if any of them followed what it returned,
  /// that one did.
  void look_at_overwritten(const Trace& trace, const Visibility& causal, const KeySight& sight,
                           KeyId key) {
    for (const Point winner : trace.updates_of(key)) {
      for (const Point reader : trace.readers_of(winner)) {
        for (const KeySight::Group& group : sight.groups()) {
          const Point end = trace.first(group.chain) + causal.seen(reader, group.chain);
          const auto after = std::lower_bound(group.updates.begin(), group.updates.end(), end);
          if (after == group.updates.begin()) continue;
          const Point last = *std::prev(after);
          if (last == winner || !causal.sees(last, winner)) continue;
          add(Anomaly::overwritten_read, trace.id(reader), {trace.id(winner), trace.id(last)});
          break;
        }
      }
    }
  }

  const History& history_;
  const AnomalySet& wanted_;
  /// Per value, of registers and of lists apart: workloads count up through both.
  std::array<std::vector<OperationId>, 2> writer_;
  tsl::robin_map<std::uint64_t, Known, MixHash> known_;
  /// By session: values that it had moved on from.
  tsl::robin_set<std::uint64_t, MixHash> left_;
  std::map<std::pair<KeyId, ValueId>, OperationId> takers_;
  std::size_t lookups_ = 0;
  std::vector<std::vector<OperationId>> appends_;  // per key, acknowledged
  std::map<OperationId, OperationId> lost_;        // per append: a final read that lacks it
  std::array<Tally, kClasses> tallies_;
};

}  // namespace

std::string_view name_of(Anomaly anomaly) { return kRows[static_cast<std::size_t>(anomaly)].name; }

std::string_view meaning_of(Anomaly anomaly) {
  return kRows[static_cast<std::size_t>(anomaly)].meaning;
}

std::string_view forbidden_by(Anomaly anomaly) {
  return kRows[static_cast<std::size_t>(anomaly)].forbidden_by;
}

std::vector<AnomalyGroup> group_anomalies(const History& history, const AnomalySet& wanted) {
  return Grouping(history, wanted).take();
}

}  // namespace consistory
