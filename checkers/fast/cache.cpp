// Per-key sequential consistency, "cache" (Goodman 1989): the blocks of each key in an order that
// extends every session's. O(n).
#include <algorithm>

#include "checkers/fast/blocks.h"
#include "checkers/fast/cycles.h"

namespace consistory {
namespace {

class KeyOrder {
 public:
  KeyOrder(const Trace& trace, std::span<const Point> points) : trace_(trace), points_(points) {}

  std::vector<Point> refute() {
    blocks_ = Blocks::of_register(trace_, points_);
    if (!blocks_.contradiction.empty()) return blocks_.contradiction;
    for (const auto& [before, after] : session_pairs()) {
      if (!add(before, after, kNoPoint)) return {before.point, after.point};
    }
    const std::vector<Point> versions = by_version(trace_, points_);
    for (std::size_t i = 1; i < versions.size(); ++i) {
      const Blocks::Member before = member_of(versions[i - 1]);
      const Blocks::Member after = member_of(versions[i]);
      if (!add(before, after, kNoPoint)) return with_versions({before.point, after.point});
    }
    return explain(find_cycle(blocks_.count, edges_));
  }

 private:
  using Pair = std::pair<Blocks::Member, Blocks::Member>;

  /// Operations of one session that follow each other on this key.
  std::vector<Pair> session_pairs() const {
    std::vector<Pair> pairs;
    const auto& members = blocks_.members;
    for (std::size_t i = 1; i < members.size(); ++i) {
      if (trace_.is_info(members[i].point)) break;
      if (trace_.chain(members[i - 1].point) == trace_.chain(members[i].point))
        pairs.emplace_back(members[i - 1], members[i]);
    }
    for (const Blocks::Member& member : members) {
      if (trace_.is_info(member.point)) add_before_info(pairs, member);
    }
    return pairs;
  }

  void add_before_info(std::vector<Pair>& pairs, const Blocks::Member& info) const {
    const Point end = trace_.first(trace_.chain(info.point)) + trace_.position(info.point);
    const auto after = std::lower_bound(
        blocks_.members.begin(), blocks_.members.end(), end,
        [](const Blocks::Member& member, Point point) { return member.point < point; });
    if (after == blocks_.members.begin()) return;
    const Blocks::Member& before = *std::prev(after);
    if (trace_.chain(before.point) == trace_.chain(info.point) && !trace_.is_info(before.point))
      pairs.emplace_back(before, info);
  }

  const Blocks::Member& member_of(Point point) const {
    return *std::lower_bound(
        blocks_.members.begin(), blocks_.members.end(), point,
        [](const Blocks::Member& member, Point p) { return member.point < p; });
  }

  /// False if the two alone refute: against the block's own order, or before the initial value.
  bool add(const Blocks::Member& before, const Blocks::Member& after, Point because) {
    if (before.block == after.block) return before.rank <= after.rank;
    if (after.block == blocks_.initial) return false;
    edges_.push_back({before.block, after.block, because});
    ends_.push_back({before.point, after.point});
    return true;
  }

  std::vector<Point> explain(const std::vector<Before>& cycle) const {
    std::vector<Point> seed;
    for (const Before& step : cycle) {
      for (std::size_t i = 0; i < edges_.size(); ++i) {
        if (edges_[i].from != step.from || edges_[i].to != step.to) continue;
        seed.push_back(ends_[i].first);
        seed.push_back(ends_[i].second);
        break;
      }
    }
    return with_versions(std::move(seed));
  }

  /// The operations, and readers that may have told their versions.
  std::vector<Point> with_versions(std::vector<Point> points) const {
    const std::size_t count = trace_.has_versions() ? points.size() : 0;
    for (std::size_t i = 0; i < count; ++i) points.push_back(trace_.teller_of(points[i]));
    return points;
  }

  const Trace& trace_;
  std::span<const Point> points_;
  Blocks blocks_;
  std::vector<Before> edges_;
  std::vector<std::pair<Point, Point>> ends_;  // per edge: the two operations
};

/// A list: two operations of one session in the wrong order of slots.
std::vector<Point> list_disorder(const Trace& trace, const ListSlots& list) {
  for (std::size_t i = 0; i < list.slots.size(); ++i) {
    const auto [point, slot] = list.slots[i];
    std::size_t before = i;
    if (trace.is_info(point)) {
      const Point end = trace.first(trace.chain(point)) + trace.position(point);
      before = static_cast<std::size_t>(
          std::lower_bound(list.slots.begin(), list.slots.end(), std::pair(end, std::uint64_t{0})) -
          list.slots.begin());
    }
    if (before == 0) continue;
    const auto [previous, earlier] = list.slots[before - 1];
    const bool same = trace.chain(previous) == trace.chain(point) && !trace.is_info(previous);
    if (same && earlier > slot) return list.explain(trace, previous, point);
  }
  return {};
}

}  // namespace

Finding decide_cache(const Trace& trace) {
  return decide_by_key(
      trace, [&](std::span<const Point> points) { return KeyOrder(trace, points).refute(); },
      [&](ListSlots& list) { return list_disorder(trace, list); });
}

}  // namespace consistory
