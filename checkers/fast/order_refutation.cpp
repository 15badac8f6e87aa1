#include "checkers/fast/order_refutation.h"

#include <algorithm>

#include "base/limits.h"
#include "checkers/fast/arbitration.h"
#include "checkers/fast/blocks.h"
#include "checkers/fast/cycles.h"
#include "checkers/fast/sight.h"

namespace consistory {
namespace {

constexpr std::size_t kPairsMax = 12'000'000;

/// Nodes: the points, then for each point that its readers have all run, then the same for the
/// initial value of each key, then for each list that its longest reads have all run.
class OneOrder {
 public:
  OneOrder(const Trace& trace, const Visibility& causal)
      : trace_(trace), causal_(causal), last_seen_(trace, causal) {}

  Finding refute() {
    if (pairs() > kPairsMax) return Finding::declined();
    add_sessions_and_sources();
    for (KeyId key = 0; key < trace_.keys(); ++key) {
      check_time();
      if (trace_.is_list(key)) add_list(key);
      else add_register(key);
    }
    const std::vector<Before> cycle = find_cycle(2 * trace_.size() + 2 * trace_.keys(), edges_);
    return cycle.empty() ? Finding::declined() : Finding::violated(explain(cycle));
  }

 private:
  std::uint32_t readers_node(Point update) const { return trace_.size() + update; }
  std::uint32_t initial_node(KeyId key) const { return 2 * trace_.size() + key; }
  std::uint32_t longest_node(KeyId key) const { return 2 * trace_.size() + trace_.keys() + key; }

  std::size_t pairs() const {
    std::size_t count = 0;
    for (KeyId key = 0; key < trace_.keys() && count <= kPairsMax; ++key) {
      if (!trace_.is_list(key))
        count += trace_.updates_of(key).size() * KeySight(trace_, key).groups().size();
    }
    return count;
  }

  void add(std::uint32_t from, std::uint32_t to, Point because = kNoPoint) {
    if (from != to) edges_.push_back({from, to, because});
  }

  void add_sessions_and_sources() {
    for (Point point = 0; point < trace_.size(); ++point) {
      if (trace_.position(point) > 0) add(predecessor(point), point);
      if (trace_.reads_register(point) && trace_.source(point) < kInitial)
        add(trace_.source(point), point);
    }
  }

  Point predecessor(Point point) const {
    return trace_.first(trace_.chain(point)) + trace_.position(point) - 1;
  }

  void add_register(KeyId key) {
    const KeySight sight(trace_, key);
    for (const KeySight::Group& group : sight.groups()) {
      add(initial_node(key), group.updates.front());
      own_order(group.updates);
    }
    for (const Point reader : trace_.other_readers_of(key)) {
      if (!trace_.updates(reader)) {
        add(reader, initial_node(key));
        continue;
      }
      // A cas must not wait for itself.
      for (const KeySight::Group& group : sight.groups()) add(reader, group.updates.front());
    }
    const std::span<const Point> updates = trace_.updates_of(key);
    for (const Point update : updates) {
      for (const Point reader : trace_.readers_of(update)) add(reader, readers_node(update));
      overwrites_what_it_saw(update, sight);
    }
    last_seen_.for_each_winner(updates, sight, [&](Point winner) {
      last_seen_.for_each(winner, sight,
                          [&](Point last, Chain) { overwritten(last, winner, kInitial); });
      return true;
    });
    const std::vector<Point> versions = by_version(trace_, updates);
    for (std::size_t i = 1; i < versions.size(); ++i)
      overwritten(versions[i - 1], versions[i], trace_.teller_of(versions[i]));
  }

  void own_order(std::span<const Point> updates) {
    for (std::size_t i = 1; i < updates.size(); ++i)
      overwritten(updates[i - 1], updates[i], kInitial);
  }

  /// Of every session the last update that is in the causal past of this one.
  void overwrites_what_it_saw(Point update, const KeySight& sight) {
    for (const KeySight::Group& group : sight.groups()) {
      if (group.chain == trace_.chain(update)) continue;
      const Point end = trace_.first(group.chain) + causal_.seen(update, group.chain);
      const auto after = std::lower_bound(group.updates.begin(), group.updates.end(), end);
      if (after != group.updates.begin()) overwritten(*std::prev(after), update, kInitial);
    }
  }

  /// `because` tells why `before` comes before `after`: kInitial if the causal past does.
  void overwritten(Point before, Point after, Point because) {
    if (before == after) return;
    add(before, after, because);
    // A cas that reads `before` and is `after` itself must not wait for itself.
    const auto readers = trace_.readers_of(before);
    const bool swaps = std::find(readers.begin(), readers.end(), after) != readers.end();
    if (!swaps) {
      add(readers_node(before), after, because);
      return;
    }
    for (const Point reader : readers) add(reader, after, because);
  }

  /// The longest read tells the order of the appends.
  void add_list(KeyId key) {
    const ListSlots list = ListSlots::of(trace_, key, points_of_list(key));
    if (list.longest == kNoPoint || !list.contradiction.empty()) return;
    const auto elements = trace_.history().elements_of(trace_.operation(list.longest));
    std::vector<Point> appends;
    for (const ValueId element : elements) appends.push_back(trace_.append_of(key, element));
    for (std::size_t i = 1; i < appends.size(); ++i) add(appends[i - 1], appends[i], list.longest);
    for (const Point reader : trace_.other_readers_of(key)) {
      const std::size_t size = trace_.history().elements_of(trace_.operation(reader)).size();
      if (size > 0) add(appends[size - 1], reader, list.longest);
      add(reader, size < appends.size() ? appends[size] : longest_node(key), list.longest);
    }
    std::sort(appends.begin(), appends.end());
    for (const Point update : trace_.updates_of(key)) {
      if (!std::binary_search(appends.begin(), appends.end(), update))
        add(longest_node(key), update, list.longest);
    }
  }

  std::vector<Point> points_of_list(KeyId key) const {
    const auto updates = trace_.updates_of(key);
    const auto readers = trace_.other_readers_of(key);
    std::vector<Point> points(updates.begin(), updates.end());
    points.insert(points.end(), readers.begin(), readers.end());
    std::sort(points.begin(), points.end());
    return points;
  }

  // What a cycle rests on.

  Point point_of(std::uint32_t node) const {
    return node < trace_.size() ? node : node < 2 * trace_.size() ? node - trace_.size() : kNoPoint;
  }

  std::vector<Point> explain(const std::vector<Before>& cycle) {
    std::vector<Point> seed;
    for (const Before& edge : cycle) {
      const Point from = point_of(edge.from);
      const Point to = point_of(edge.to);
      for (const Point point : {from, to}) {
        if (point != kNoPoint) seed.push_back(point);
      }
      if (edge.because == kNoPoint || from == kNoPoint || to == kNoPoint) continue;
      if (edge.because == kInitial) {
        explain_past(from, to, seed);
        continue;
      }
      seed.push_back(edge.because);
      // Versions may have been told by readers.
      for (const Point point : {from, to}) {
        if (trace_.has_versions() && trace_.updates(point)) seed.push_back(trace_.teller_of(point));
      }
    }
    return seed;
  }

  /// `before` is in the causal past of `after`, or of somebody who read `after`.
  void explain_past(Point before, Point after, std::vector<Point>& seed) const {
    Point witness = after;
    if (!causal_.sees(after, before)) {
      const auto readers = trace_.readers_of(after);
      const auto seeing = std::find_if(readers.begin(), readers.end(),
                                       [&](Point reader) { return causal_.sees(reader, before); });
      if (seeing == readers.end()) return;
      witness = *seeing;
    }
    const std::vector<Point> why = explain_sight(trace_, causal_, witness, before);
    seed.push_back(witness);
    seed.insert(seed.end(), why.begin(), why.end());
  }

  const Trace& trace_;
  const Visibility& causal_;
  LastSeen last_seen_;
  std::vector<Before> edges_;
};

}  // namespace

Finding refute_one_order(const Trace& trace, const Visibility& causal) {
  return OneOrder(trace, causal).refute();
}

}  // namespace consistory
