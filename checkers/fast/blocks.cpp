#include "checkers/fast/blocks.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "checkers/fast/refutation.h"

namespace consistory {
namespace {

class BlockBuilder {
 public:
  BlockBuilder(const Trace& trace, std::span<const Point> points)
      : trace_(trace), points_(points), place_(points.size(), {Blocks::kNone, 0}) {}

  Blocks build() {
    for (std::size_t i = 0; i < points_.size() && blocks_.contradiction.empty(); ++i) {
      const Point point = points_[i];
      if (trace_.updates(point)) locate(i);
    }
    for (std::size_t i = 0; i < points_.size() && blocks_.contradiction.empty(); ++i) {
      const Point point = points_[i];
      const Cluster cluster = trace_.updates(point) ? place_[i] : cluster_of_source(point);
      const std::uint32_t rank = 2 * cluster.depth + (trace_.updates(point) ? 0 : 1);
      blocks_.members.push_back({point, cluster.block, rank});
    }
    return std::move(blocks_);
  }

 private:
  /// Where an update, and what reads it, stands.
  struct Cluster {
    std::uint32_t block = Blocks::kNone;
    std::uint32_t depth = 0;  // how many cas lie between it and the block's first
  };

  std::size_t index_of(Point point) const {
    return static_cast<std::size_t>(std::lower_bound(points_.begin(), points_.end(), point) -
                                    points_.begin());
  }

  Cluster cluster_of_source(Point reader) {
    const Point source = trace_.source(reader);
    if (source < kInitial) return place_[index_of(source)];
    if (blocks_.initial == Blocks::kNone) blocks_.initial = blocks_.count++;
    return {blocks_.initial, 0};
  }

  /// Gives an update its cluster, and those it swapped over theirs first.
  void locate(std::size_t index) {
    std::vector<std::size_t> chain;
    while (place_[index].block == Blocks::kNone && trace_.reads(points_[index])) {
      chain.push_back(index);
      const Point source = trace_.source(points_[index]);
      if (chain.size() > points_.size()) return contradict(chain);
      if (source == kInitial) break;
      index = index_of(source);
    }
    Cluster below;
    if (!chain.empty() && trace_.source(points_[chain.back()]) == kInitial) {
      below = cluster_of_source(points_[chain.back()]);
    } else {
      if (place_[index].block == Blocks::kNone) place_[index] = {blocks_.count++, 0};
      below = place_[index];
    }
    for (; !chain.empty(); chain.pop_back()) {
      below.depth += 1;
      place_[chain.back()] = below;
    }
  }

  /// Cas that read each other's values in a circle.
  void contradict(const std::vector<std::size_t>& chain) {
    for (std::size_t i = chain.size() / 2; i < chain.size(); ++i)
      blocks_.contradiction.push_back(points_[chain[i]]);
    std::sort(blocks_.contradiction.begin(), blocks_.contradiction.end());
    blocks_.contradiction.erase(
        std::unique(blocks_.contradiction.begin(), blocks_.contradiction.end()),
        blocks_.contradiction.end());
  }

  const Trace& trace_;
  std::span<const Point> points_;
  std::vector<Cluster> place_;
  Blocks blocks_;
};

/// Two cas that both swapped over one value.
std::vector<Point> rival_swaps(const Trace& trace, std::span<const Point> points) {
  std::vector<Point> swaps;
  for (const Point point : points) {
    if (trace.reads(point) && trace.updates(point)) swaps.push_back(point);
  }
  std::sort(swaps.begin(), swaps.end(),
            [&](Point a, Point b) { return trace.source(a) < trace.source(b); });
  const auto rivals = std::adjacent_find(swaps.begin(), swaps.end(), [&](Point a, Point b) {
    return trace.source(a) == trace.source(b);
  });
  if (rivals == swaps.end()) return {};
  return {*rivals, rivals[1]};
}

}  // namespace

Blocks Blocks::of_register(const Trace& trace, std::span<const Point> points) {
  Blocks blocks;
  if (trace.has_cas()) blocks.contradiction = rival_swaps(trace, points);
  if (!blocks.contradiction.empty()) return blocks;
  return BlockBuilder(trace, points).build();
}

PointLists points_of_keys(const Trace& trace) {
  PointLists lists;
  lists.begin.assign(trace.keys() + 1, 0);
  for (Point point = 0; point < trace.size(); ++point) ++lists.begin[trace.key(point) + 1];
  for (KeyId key = 0; key < trace.keys(); ++key) lists.begin[key + 1] += lists.begin[key];
  lists.points.resize(trace.size());
  std::vector<std::uint32_t> next(lists.begin.begin(), lists.begin.end() - 1);
  for (Point point = 0; point < trace.size(); ++point)
    lists.points[next[trace.key(point)]++] = point;
  return lists;
}

std::vector<Point> by_version(const Trace& trace, std::span<const Point> points) {
  std::vector<Point> versioned;
  if (!trace.has_versions()) return versioned;
  for (const Point point : points) {
    if (trace.updates(point) && trace.version(point) != kNoVersion) versioned.push_back(point);
  }
  std::sort(versioned.begin(), versioned.end(),
            [&](Point a, Point b) { return trace.version(a) < trace.version(b); });
  return versioned;
}

std::vector<Point> ListSlots::explain(const Trace& trace, Point before, Point after) const {
  std::vector<Point> seed = {before, after, longest};
  if (trace.reads(before) && trace.reads(after)) {
    const std::size_t shorter = trace.operation(after).list.size;
    const auto whole = trace.history().elements_of(trace.operation(before));
    seed.push_back(trace.append_of(trace.key(before), whole[shorter]));
  }
  return seed;
}

/// What no list shows follows all that it shows: in the order of its versions, if all of it tells
/// one.
void ListSlots::place_unshown(const Trace& trace, std::span<const Point> points,
                              std::uint64_t beyond) {
  const auto is_unshown = [&](const auto& slot) { return slot.second >= beyond; };
  const std::vector<Point> versions = by_version(trace, points);
  const auto slot_of = [&](Point append) {
    return std::lower_bound(slots.begin(), slots.end(), std::pair(append, std::uint64_t{0}));
  };
  const auto unshown = std::count_if(slots.begin(), slots.end(), is_unshown);
  const auto with_version = std::count_if(
      versions.begin(), versions.end(), [&](Point append) { return is_unshown(*slot_of(append)); });
  declined = with_version > 1 && unshown > with_version;
  std::uint64_t last = 0, next = beyond;
  Point last_point = kNoPoint;
  for (const Point append : versions) {
    const auto at = slot_of(append);
    if (is_unshown(*at) && !declined) at->second = std::exchange(next, next + 2);
    if (at->second < last) contradiction = {longest, last_point, append};
    last = at->second;
    last_point = append;
  }
}

ListSlots ListSlots::of(const Trace& trace, KeyId key, std::span<const Point> points) {
  ListSlots list;
  const History& history = trace.history();
  const auto elements = [&](Point reader) { return history.elements_of(trace.operation(reader)); };
  std::size_t length = 0;
  for (const Point reader : trace.other_readers_of(key)) {
    if (list.longest != kNoPoint && elements(reader).size() <= length) continue;
    list.longest = reader;
    length = elements(reader).size();
  }
  std::vector<std::pair<Point, std::uint64_t>> shown;
  if (list.longest != kNoPoint) {
    const auto whole = elements(list.longest);
    for (std::size_t i = 0; i < length; ++i)
      shown.emplace_back(trace.append_of(key, whole[i]), 2 * i + 1);
    std::sort(shown.begin(), shown.end());
    for (const Point reader : trace.other_readers_of(key)) {
      const auto part = elements(reader);
      const auto [left, right] = std::mismatch(part.begin(), part.end(), whole.begin());
      if (left == part.end()) continue;
      list.contradiction = {list.longest, reader, trace.append_of(key, *left),
                            trace.append_of(key, *right)};
      return list;
    }
  }
  for (const Point point : points) {
    std::uint64_t slot = 2 * length + 1;
    if (trace.reads(point)) {
      slot = 2 * elements(point).size();
    } else {
      const auto found =
          std::lower_bound(shown.begin(), shown.end(), std::pair(point, std::uint64_t{0}));
      if (found != shown.end() && found->first == point) slot = found->second;
    }
    list.slots.emplace_back(point, slot);
  }
  list.place_unshown(trace, points, 2 * length + 1);
  return list;
}

Finding decide_by_key(
    const Trace& trace,
    const std::function<std::vector<Point>(std::span<const Point> points)>& refute_register,
    const std::function<std::vector<Point>(ListSlots& list)>& refute_list) {
  const PointLists keys = points_of_keys(trace);
  std::atomic<bool> declined = false;
  Finding finding = first_refuted(trace, trace.keys(), [&](std::size_t part, std::size_t) {
    const auto key = static_cast<KeyId>(part);
    if (!trace.is_list(key)) return refute_register(keys.of(key));
    ListSlots list = ListSlots::of(trace, key, keys.of(key));
    if (list.declined) declined = true;
    return list.contradiction.empty() ? refute_list(list) : list.contradiction;
  });
  return declined && finding.answer == Finding::Answer::holds ? Finding::declined() : finding;
}

}  // namespace consistory
