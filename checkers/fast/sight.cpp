#include "checkers/fast/sight.h"

#include <algorithm>
#include <tuple>

namespace consistory {

KeySight::KeySight(const Trace& trace, KeyId key) : trace_(trace) {
  const std::span<const Point> updates = trace.updates_of(key);
  std::size_t from = 0;
  while (from < updates.size() && !trace.is_info(updates[from])) {
    const Chain chain = trace.chain(updates[from]);
    std::size_t to = from;
    while (to < updates.size() && !trace.is_info(updates[to]) && trace.chain(updates[to]) == chain)
      ++to;
    groups_.push_back({chain, updates.subspan(from, to - from)});
    from = to;
  }
  if (from == updates.size()) return;
  for (; from < updates.size(); ++from) {
    for (const Point reader : trace.readers_of(updates[from]))
      add_occurrence(reader, updates[from]);
  }
  std::sort(occurrences_.begin(), occurrences_.end(), [](const Occurrence& a, const Occurrence& b) {
    return std::tuple(a.chain, a.position) < std::tuple(b.chain, b.position);
  });
}

void KeySight::add_occurrence(Point reader, Point update) {
  if (trace_.is_info(reader)) return;
  occurrences_.push_back({trace_.chain(reader), trace_.position(reader), update});
}

Oversight first_oversight(const Trace& trace, const Visibility& visibility, KeyId key,
                          const KeySight& sight) {
  std::vector<Point> list;
  for (const Point reader : trace.other_readers_of(key)) {
    list.clear();
    for (const ValueId element : trace.history().elements_of(trace.operation(reader)))
      list.push_back(trace.append_of(key, element));
    std::sort(list.begin(), list.end());
    Point missed = kNoPoint;
    sight.any_seen(visibility, reader, [&](Point update) {
      if (update != reader && !std::binary_search(list.begin(), list.end(), update))
        missed = update;
      return missed != kNoPoint;
    });
    if (missed != kNoPoint) return {reader, missed};
  }
  return {};
}

void LastSeen::measure_reach(Point winner) {
  std::fill(reach_.begin(), reach_.end(), 0);
  for (const Point reader : trace_.readers_of(winner)) {
    const std::span<const Point> row = visibility_.row(reader);
    for (Chain chain = 0; chain < trace_.chains(); ++chain)
      reach_[chain] = std::max(reach_[chain], row[chain]);
    Point& own = reach_[trace_.chain(reader)];
    own = std::max(own, visibility_.seen(reader, trace_.chain(reader)));
  }
}

Point LastSeen::counted_by_readers(Point winner, Chain chain) const {
  Point counted = 0;
  for (const Point reader : trace_.readers_of(winner))
    counted = std::max(counted, visibility_.counted_reads(reader, chain));
  return counted;
}

/// How many of `points`, ascending, are below `end`: searched for from `hint` outwards.
std::size_t LastSeen::count_below(std::span<const Point> points, Point end, std::size_t hint) {
  std::size_t low = hint;
  std::size_t high = hint;
  std::size_t step = 1;
  while (high < points.size() && points[high] < end) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = std::min(high, points.size());
  if (low == hint) {
    for (step = 1; low > 0 && points[low - 1] >= end; step *= 2) {
      high = low - 1;
      low -= std::min(step, low);
    }
  }
  const auto begin = points.begin();
  const auto found = std::lower_bound(begin + static_cast<std::ptrdiff_t>(low),
                                      begin + static_cast<std::ptrdiff_t>(high), end);
  return static_cast<std::size_t>(found - begin);
}

}  // namespace consistory
