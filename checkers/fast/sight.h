#pragma once
// What the reads of one key see of that key's updates, session by session.

#include <vector>

#include "checkers/fast/visibility.h"

namespace consistory {

/// Reads by sessions of one key's indeterminate updates: in (chain, position) order.
struct Occurrence {
  Chain chain = 0;
  Point position = 0;
  Point update = kNoPoint;
};

/// One key's updates, a group for each session that made some, and what was read of its
/// indeterminate ones. Refers to the trace.
class KeySight {
 public:
  struct Group {
    Chain chain = 0;
    std::span<const Point> updates;  ///< ascending
  };

  KeySight(const Trace& trace, KeyId key);

  std::span<const Group> groups() const { return groups_; }
  std::span<const Occurrence> occurrences() const { return occurrences_; }

  /// Calls visit(update) for each update of the key that `reader` sees, until it returns true.
  template <class Visit>
  bool any_seen(const Visibility& visibility, Point reader, const Visit& visit) const {
    for (const Group& group : groups_) {
      const Point seen = visibility.seen(reader, group.chain);
      for (const Point update : group.updates) {
        if (trace_.position(update) >= seen) break;
        if (visit(update)) return true;
      }
    }
    for (const Occurrence& occurrence : occurrences_) {
      const bool counts = occurrence.position < visibility.counted_reads(reader, occurrence.chain);
      if (counts && visit(occurrence.update)) return true;
    }
    return false;
  }

 private:
  void add_occurrence(Point reader, Point update);

  const Trace& trace_;
  std::vector<Group> groups_;
  std::vector<Occurrence> occurrences_;
};

/// A read of the initial value that sees an update, or of a list that sees an append it lacks.
struct Oversight {
  Point reader = kNoPoint;  ///< kNoPoint: there is none
  Point update = kNoPoint;
};
Oversight first_oversight(const Trace& trace, const Visibility& visibility, KeyId key,
                          const KeySight& sight);

/// For each update of a register that was read, a winner: the last update of each session that its
/// readers see.
class LastSeen {
 public:
  LastSeen(const Trace& trace, const Visibility& visibility)
      : trace_(trace), visibility_(visibility), reach_(trace.chains(), 0) {}

  /// Calls visit(winner) for the winners among some updates of one key until it returns false.
  template <class Visit>
  void for_each_winner(std::span<const Point> updates, const KeySight& sight, const Visit& visit) {
    hints_.assign(sight.groups().size(), 0);
    for (std::size_t i = 0; i < updates.size(); ++i) {
      const Point winner = updates[i];
      if (i + kAhead < updates.size()) prefetch(updates[i + kAhead]);
      if (trace_.readers_of(winner).empty()) continue;
      measure_reach(winner);
      if (!visit(winner)) return;
    }
  }

  /// Inside visit(winner): calls each(update, chain) for the last other update of each session that
  /// the readers of `winner` see, and the last indeterminate one that each session, `chain`, read.
  template <class Each>
  void for_each(Point winner, const KeySight& sight, const Each& each) {
    for_each_last(winner, sight, each);
    each_occurrence(winner, sight.occurrences(), true, each);
  }
  /// The same with all indeterminate ones.
  template <class Each>
  void for_each_of_all(Point winner, const KeySight& sight, const Each& each) {
    for_each_last(winner, sight, each);
    each_occurrence(winner, sight.occurrences(), false, each);
  }

 private:
  template <class Each>
  void for_each_last(Point winner, const KeySight& sight, const Each& each) {
    for (std::size_t g = 0; g < sight.groups().size(); ++g) {
      const KeySight::Group& group = sight.groups()[g];
      const Point end = trace_.first(group.chain) + reach_[group.chain];
      hints_[g] = count_below(group.updates, end, hints_[g]);
      if (hints_[g] == 0) continue;
      const Point last = group.updates[hints_[g] - 1];
      if (last != winner) each(last, group.chain);
    }
  }

  template <class Each>
  void each_occurrence(Point winner, std::span<const Occurrence> occurrences, bool last_only,
                       const Each& each) {
    for (std::size_t i = 0; i < occurrences.size();) {
      const Chain chain = occurrences[i].chain;
      const Point counted = counted_by_readers(winner, chain);
      Point last = kNoPoint;
      for (; i < occurrences.size() && occurrences[i].chain == chain; ++i) {
        if (occurrences[i].position >= counted || occurrences[i].update == winner) continue;
        last = occurrences[i].update;
        if (!last_only) each(last, chain);
      }
      if (last_only && last != kNoPoint) each(last, chain);
    }
  }

  static constexpr std::size_t kAhead = 4;
  [[gnu::always_inline]] void prefetch(Point winner) const {
    visibility_.prefetch(winner);
    for (const Point reader : trace_.readers_of(winner)) visibility_.prefetch(reader);
  }

  void measure_reach(Point winner);
  Point counted_by_readers(Point winner, Chain chain) const;
  static std::size_t count_below(std::span<const Point> points, Point end, std::size_t hint);

  const Trace& trace_;
  const Visibility& visibility_;
  std::vector<Point> reach_;        // per chain: how far all readers of the winner see together
  std::vector<std::size_t> hints_;  // per group: where the last search ended
};

}  // namespace consistory
