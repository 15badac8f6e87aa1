// Linearizability, key by key (Herlihy and Wing 1990): a block may come next when no other block
// left has an operation that completed before one of its own was invoked. Kept as two heaps, by
// first completion and by last invocation: O(n log n), at any concurrency.
#include <algorithm>
#include <queue>

#include "checkers/fast/blocks.h"

namespace consistory {
namespace {

/// The two ends that order a block among the others, and the operations they belong to.
struct Zone {
  std::int64_t finish = kNever;    // its first completion
  std::int64_t start = INT64_MIN;  // its last invocation
  Point first_done = kNoPoint;
  Point last_begun = kNoPoint;
};

class KeyOrder {
 public:
  KeyOrder(const Trace& trace, std::span<const Point> points) : trace_(trace), points_(points) {}

  /// Empty if the key's operations can be linearized; else what shows that they cannot.
  std::vector<Point> refute() {
    blocks_ = Blocks::of_register(trace_, points_);
    if (!blocks_.contradiction.empty()) return blocks_.contradiction;
    if (auto pair = disorder_inside(); !pair.empty()) return pair;
    measure();
    if (auto seed = link_versions(); !seed.empty()) return seed;
    return order_blocks();
  }

 private:
  const Operation& at(Point point) const { return trace_.operation(point); }

  /// Inside a block: an operation that completed before one of lower rank was invoked.
  std::vector<Point> disorder_inside() {
    std::vector<Blocks::Member> members = blocks_.members;
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return a.block != b.block ? a.block < b.block : a.rank < b.rank;
    });
    Point earliest = kNoPoint;  // of the ranks above, the first to complete
    Point pending = kNoPoint;   // of the rank at hand
    for (std::size_t i = members.size(); i-- > 0;) {
      const auto& member = members[i];
      const bool new_block = i + 1 == members.size() || members[i + 1].block != member.block;
      if (new_block) {
        earliest = pending = kNoPoint;
      } else if (members[i + 1].rank != member.rank) {
        earliest = sooner(earliest, pending);
        pending = kNoPoint;
      }
      if (earliest != kNoPoint && at(earliest).complete < at(member.point).invoke)
        return {earliest, member.point};
      pending = sooner(pending, member.point);
    }
    return {};
  }

  Point sooner(Point a, Point b) const {
    if (a == kNoPoint || b == kNoPoint) return a == kNoPoint ? b : a;
    return at(a).complete <= at(b).complete ? a : b;
  }

  void measure() {
    zones_.assign(blocks_.count, {});
    for (const auto& member : blocks_.members) {
      Zone& zone = zones_[member.block];
      const Operation& operation = at(member.point);
      if (operation.complete < zone.finish) {
        zone.finish = operation.complete;
        zone.first_done = member.point;
      }
      if (operation.invoke > zone.start) {
        zone.start = operation.invoke;
        zone.last_begun = member.point;
      }
    }
    if (blocks_.initial != Blocks::kNone) {
      zones_[blocks_.initial].finish = INT64_MIN;  // the initial value was there before all else
      zones_[blocks_.initial].first_done = kNoPoint;
    }
    waits_for_.assign(blocks_.count, Blocks::kNone);
    next_version_.assign(blocks_.count, Blocks::kNone);
  }

  const Blocks::Member& member_of(Point point) const {
    return *std::lower_bound(blocks_.members.begin(), blocks_.members.end(), point,
                             [](const auto& member, Point p) { return member.point < p; });
  }

  std::vector<Point> link_versions() {
    const std::vector<Point> order = by_version(trace_, points_);
    std::vector<bool> left(blocks_.count, false);
    for (std::size_t i = 1; i < order.size(); ++i) {
      const auto& before = member_of(order[i - 1]);
      const auto& after = member_of(order[i]);
      if (before.block == after.block) {
        if (before.rank > after.rank) return with_versions({before.point, after.point});
        continue;
      }
      left[before.block] = true;
      if (left[after.block] || after.block == blocks_.initial)
        return with_versions({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i) + 1});
      waits_for_[after.block] = before.block;
      next_version_[before.block] = after.block;
      version_ends_.push_back({before.block, before.point, after.point});
    }
    return {};
  }

  /// The updates, and readers that may have told their versions.
  std::vector<Point> with_versions(std::vector<Point> updates) const {
    const std::size_t count = updates.size();
    for (std::size_t i = 0; i < count; ++i) updates.push_back(trace_.teller_of(updates[i]));
    return updates;
  }

  using Entry = std::pair<std::int64_t, std::uint32_t>;  // (stamp, block)
  using Heap = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;

  std::vector<Point> order_blocks() {
    std::vector<Entry> by_finish;
    std::vector<Entry> by_start;
    for (std::uint32_t block = 0; block < blocks_.count; ++block) {
      by_finish.emplace_back(zones_[block].finish, block);
      if (waits_for_[block] == Blocks::kNone) by_start.emplace_back(zones_[block].start, block);
    }
    Heap finishes(std::greater<>{}, std::move(by_finish));
    Heap starts(std::greater<>{}, std::move(by_start));
    std::vector<bool> done(blocks_.count, false);
    const auto drop_done = [&](Heap& heap) {
      while (!heap.empty() && done[heap.top().second]) heap.pop();
    };
    for (std::uint32_t left = blocks_.count; left > 0; --left) {
      drop_done(finishes);
      drop_done(starts);
      const Entry first = finishes.top();
      std::uint32_t next = Blocks::kNone;
      if (!starts.empty() && starts.top().second != first.second &&
          starts.top().first <= first.first) {
        next = starts.top().second;
      } else {
        finishes.pop();
        drop_done(finishes);
        const bool clear = finishes.empty() || zones_[first.second].start <= finishes.top().first;
        const bool free = is_free(first.second, done);
        if (!clear || !free)
          return explain_deadlock(first.second, finishes.empty() ? first : finishes.top(), clear);
        next = first.second;
      }
      done[next] = true;
      const std::uint32_t freed = next_version_[next];
      if (freed != Blocks::kNone) starts.emplace(zones_[freed].start, freed);
    }
    return {};
  }

  bool is_free(std::uint32_t block, const std::vector<bool>& done) const {
    return waits_for_[block] == Blocks::kNone || done[waits_for_[block]];
  }

  /// `first` completes something before all others left, so all wait for it but those that only
  /// wait for a version; and it waits for `second`, in real time or by versions.
  std::vector<Point> explain_deadlock(std::uint32_t first, Entry second, bool clear) const {
    std::vector<Point> seed;
    std::uint32_t block = second.second;
    if (clear) block = first;
    else add_real_time(seed, block, first);
    if (clear) block = add_version(seed, block);
    while (block != first && zones_[first].finish >= zones_[block].start)
      block = add_version(seed, block);
    if (block != first) add_real_time(seed, first, block);
    return with_versions(with_heads(std::move(seed)));
  }

  /// What shows that `before` comes before `after` in real time.
  void add_real_time(std::vector<Point>& seed, std::uint32_t before, std::uint32_t after) const {
    if (zones_[before].first_done != kNoPoint) seed.push_back(zones_[before].first_done);
    seed.push_back(zones_[after].last_begun);
  }

  /// Adds why `block` comes after the one before it by version, and returns that one.
  std::uint32_t add_version(std::vector<Point>& seed, std::uint32_t block) const {
    const std::uint32_t before = waits_for_[block];
    for (const VersionEnd& end : version_ends_) {
      if (end.block != before) continue;
      seed.push_back(end.last);
      seed.push_back(end.next);
    }
    return before;
  }

  /// Every block that the seed touches keeps together by its chain of cas: with their sources the
  /// operations say that themselves; two operations of one block need the links between them.
  std::vector<Point> with_heads(std::vector<Point> seed) const {
    std::vector<Point> all = seed;
    for (const Point point : seed) {
      if (trace_.source(point) < kInitial) all.push_back(trace_.source(point));
    }
    return all;
  }

  struct VersionEnd {
    std::uint32_t block;
    Point last, next;
  };

  const Trace& trace_;
  std::span<const Point> points_;
  Blocks blocks_;
  std::vector<Zone> zones_;
  std::vector<std::uint32_t> waits_for_, next_version_;  // per block, by versions
  std::vector<VersionEnd> version_ends_;
};

/// A list's operations by slot: one that completed before one of a lower slot was invoked.
std::vector<Point> list_disorder(const Trace& trace, ListSlots& list) {
  std::sort(list.slots.begin(), list.slots.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  Point earliest = kNoPoint;
  Point pending = kNoPoint;
  const auto sooner = [&](Point a, Point b) {
    if (a == kNoPoint || b == kNoPoint) return a == kNoPoint ? b : a;
    return trace.operation(a).complete <= trace.operation(b).complete ? a : b;
  };
  for (std::size_t i = list.slots.size(); i-- > 0;) {
    const auto [point, slot] = list.slots[i];
    if (i + 1 < list.slots.size() && list.slots[i + 1].second != slot) {
      earliest = sooner(earliest, pending);
      pending = kNoPoint;
    }
    const bool late =
        earliest != kNoPoint && trace.operation(earliest).complete < trace.operation(point).invoke;
    if (late) return list.explain(trace, earliest, point);
    pending = sooner(pending, point);
  }
  return {};
}

/// Locality rests on session order being real time (MODELS D15).
bool sessions_have_ties(const Trace& trace) {
  for (Point point = 0; point < trace.size(); ++point) {
    const Point position = trace.position(point);
    if (position == 0) continue;
    const Point before = trace.first(trace.chain(point)) + position - 1;
    if (trace.operation(before).complete == trace.operation(point).invoke) return true;
  }
  return false;
}

}  // namespace

Finding decide_linearizable(const Trace& trace) {
  if (sessions_have_ties(trace)) return Finding::declined();
  return decide_by_key(
      trace, [&](std::span<const Point> points) { return KeyOrder(trace, points).refute(); },
      [&](ListSlots& list) { return list_disorder(trace, list); });
}

}  // namespace consistory
