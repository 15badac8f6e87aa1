#include "checkers/fast/local_guarantees.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "checkers/fast/blocks.h"
#include "checkers/fast/cycles.h"
#include "checkers/fast/refutation.h"

namespace consistory {
namespace {

/// Points are nodes; further nodes stand for "all of these so far", which spares an edge each.
class OrderOfUpdates {
 public:
  /// Of some points, ascending: one key's, or all.
  OrderOfUpdates(const Trace& trace, std::span<const Point> points)
      : trace_(trace), points_(points), nodes_(static_cast<std::uint32_t>(points.size())) {}

  std::uint32_t node_of(Point point) const {
    const auto at = std::lower_bound(points_.begin(), points_.end(), point);
    return static_cast<std::uint32_t>(at - points_.begin());
  }
  std::uint32_t add_node() {
    if (nodes_ >= kNodesMax) throw std::length_error("too many updates seen out of order");
    return nodes_++;
  }
  void link(std::uint32_t from, std::uint32_t to, Point because) {
    edges_.push_back({from, to, because});
  }
  void add(Point from, Point to, Point because) { link(node_of(from), node_of(to), because); }

  /// A cas overwrites what it saw; versions and lists tell the order of their keys.
  void add_key(KeyId key, std::span<const Point> points) {
    for (const Point point : points) {
      const bool swaps = trace_.reads_register(point) && trace_.updates(point);
      if (swaps && trace_.source(point) < kInitial) add(trace_.source(point), point, point);
    }
    const std::vector<Point> versions = by_version(trace_, points);
    for (std::size_t i = 1; i < versions.size(); ++i) {
      add(versions[i - 1], versions[i], kNoPoint);
    }
    if (!trace_.is_list(key)) return;
    for (const Point reader : trace_.other_readers_of(key)) {
      Point last = kNoPoint;
      for (const ValueId element : trace_.history().elements_of(trace_.operation(reader))) {
        const Point append = trace_.append_of(key, element);
        if (last != kNoPoint) add(last, append, reader);
        last = append;
      }
    }
  }

  /// Empty if there is an order.
  std::vector<Point> refute() const {
    std::vector<Point> seed;
    for (const Before& step : find_cycle(nodes_, edges_)) {
      for (const std::uint32_t node : {step.from, step.to}) {
        if (node < points_.size()) seed.push_back(points_[node]);
        if (node < points_.size() && trace_.has_versions())
          seed.push_back(trace_.teller_of(points_[node]));
      }
      if (step.because != kNoPoint) seed.push_back(step.because);
    }
    return seed;
  }

 private:
  static constexpr std::uint32_t kNodesMax = 30'000'000;

  const Trace& trace_;
  std::span<const Point> points_;
  std::uint32_t nodes_;
  std::vector<Before> edges_;
};

/// What one session must have seen of one key so far: it all precedes whatever it reads next.
class Log {
 public:
  explicit Log(OrderOfUpdates& order) : order_(order) {}

  /// `because`: the operation that shows that the session has seen the update.
  void add(Point update, Point because) {
    if (place_.contains(update)) return;
    place_[update] = static_cast<std::uint32_t>(entries_.size());
    const std::uint32_t all = order_.add_node();
    order_.link(order_.node_of(update), all, because);
    if (!entries_.empty()) order_.link(entries_.back().all_so_far, all, kNoPoint);
    entries_.push_back({update, because, all, 0});
  }

  /// A read returned `source`: everything here precedes it.
  void returned(Point source, Point reader) {
    if (entries_.empty()) return;
    const auto known = place_.find(source);
    const std::uint32_t node = order_.node_of(source);
    if (known == place_.end()) return order_.link(entries_.back().all_so_far, node, reader);
    const std::uint32_t index = known->second;
    if (index > 0 && entries_[index].done == 0)
      order_.link(entries_[index - 1].all_so_far, node, reader);
    std::uint32_t& done = entries_[index].done;
    for (done = std::max(done, index + 1); done < entries_.size(); ++done) {
      const std::uint32_t seen = order_.add_node();  // two operations show it: an edge for each
      order_.link(order_.node_of(entries_[done].update), seen, entries_[done].because);
      order_.link(seen, node, reader);
    }
  }

  bool empty() const { return entries_.empty(); }
  Point first_update() const { return entries_.front().update; }
  Point first_because() const { return entries_.front().because; }
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Entry& entry : entries_) visit(entry.update, entry.because);
  }

 private:
  struct Entry {
    Point update = kNoPoint;
    Point because = kNoPoint;
    std::uint32_t all_so_far = 0;
    std::uint32_t done = 0;  // entries below this precede `update` already
  };

  OrderOfUpdates& order_;
  std::vector<Entry> entries_;
  std::map<Point, std::uint32_t> place_;
};

class KeyGuarantees {
 public:
  KeyGuarantees(const Trace& trace, GuaranteeSet set, KeyId key, std::span<const Point> points)
      : trace_(trace),
        reads_(contains(set, Guarantee::monotonic_reads)),
        writes_(contains(set, Guarantee::read_your_writes)),
        key_(key),
        points_(points),
        order_(trace, points) {}

  std::vector<Point> refute() {
    order_.add_key(key_, points_);
    std::optional<Log> log;
    Chain session = 0;
    for (const Point point : points_) {
      if (trace_.is_info(point)) break;
      if (!log || trace_.chain(point) != session) log.emplace(order_);
      session = trace_.chain(point);
      if (auto seed = take(point, *log); !seed.empty()) return seed;
    }
    for (const Point point : points_) {
      if (!trace_.is_info(point) || !trace_.reads(point)) continue;
      if (auto seed = take_info(point); !seed.empty()) return seed;
    }
    return order_.refute();
  }

 private:
  std::vector<Point> take(Point point, Log& log) {
    if (trace_.reads(point)) {
      std::vector<Point> seed =
          trace_.is_list(key_) ? take_list(point, log) : take_read(point, log);
      if (!seed.empty()) return seed;
    }
    if (trace_.updates(point) && writes_) log.add(point, point);
    return {};
  }

  std::vector<Point> take_read(Point point, Log& log) {
    const Point source = trace_.source(point);
    if (source == kInitial) {
      if (log.empty()) return {};
      return {log.first_because(), log.first_update(), point};
    }
    if (is_own_future(point, source)) return {source, point};
    log.returned(source, point);
    if (reads_) log.add(source, point);
    return {};
  }

  bool is_own_future(Point reader, Point source) const {
    return !trace_.is_info(reader) && trace_.chain(reader) == trace_.chain(source) &&
           trace_.position(source) >= trace_.position(reader) + (trace_.is_info(source) ? 1 : 0);
  }

  std::vector<Point> take_list(Point point, Log& log) {
    std::vector<Point> list;
    for (const ValueId element : trace_.history().elements_of(trace_.operation(point)))
      list.push_back(trace_.append_of(key_, element));
    for (const Point append : list) {
      if (is_own_future(point, append)) return {append, point};
    }
    std::vector<Point> sorted = list;
    std::sort(sorted.begin(), sorted.end());
    std::vector<Point> seed;
    log.for_each([&](Point update, Point because) {
      if (seed.empty() && !std::binary_search(sorted.begin(), sorted.end(), update))
        seed = {update, because, point};
    });
    if (seed.empty() && reads_) {
      for (const Point append : list) log.add(append, point);
    }
    return seed;
  }

  /// An indeterminate cas comes after what its session did before.
  std::vector<Point> take_info(Point info) {
    Log log(order_);
    const Point begin = trace_.first(trace_.chain(info));
    for (const Point point : points_) {
      if (point < begin || point >= begin + trace_.position(info)) continue;
      if (reads_ && trace_.reads_register(point) && trace_.source(point) < kInitial)
        log.add(trace_.source(point), point);
      if (writes_ && trace_.updates(point)) log.add(point, point);
    }
    return take_read(info, log);
  }

  const Trace& trace_;
  bool reads_, writes_;
  KeyId key_;
  std::span<const Point> points_;
  OrderOfUpdates order_;
};

/// What a session read precedes what it updates later.
std::vector<Point> refute_writes_follow_reads(const Trace& trace, const PointLists& keys) {
  std::vector<Point> all(trace.size());
  std::iota(all.begin(), all.end(), 0U);
  OrderOfUpdates order(trace, all);
  for (KeyId key = 0; key < trace.keys(); ++key) order.add_key(key, keys.of(key));
  std::vector<std::uint32_t> read_so_far(trace.size(), UINT32_MAX);  // per point: itself included
  for (Point point = 0; point < trace.size(); ++point) {
    const Point position = trace.position(point);
    std::uint32_t before = UINT32_MAX;
    if (position > 0) before = read_so_far[trace.first(trace.chain(point)) + position - 1];
    if (trace.updates(point) && before != UINT32_MAX) order.link(before, point, point);
    read_so_far[point] = before;
    const Point source = trace.source(point);
    if (!trace.reads_register(point) || source == kInitial) continue;
    read_so_far[point] = order.add_node();
    order.link(source, read_so_far[point], point);
    if (before != UINT32_MAX) order.link(before, read_so_far[point], kNoPoint);
  }
  return order.refute();
}

}  // namespace

bool is_local(GuaranteeSet set) {
  const bool follows = contains(set, Guarantee::writes_follow_reads);
  const bool alone = set == static_cast<GuaranteeSet>(Guarantee::writes_follow_reads);
  return !contains(set, Guarantee::monotonic_writes) && (!follows || alone);
}

Finding decide_local_guarantees(const Trace& trace, GuaranteeSet set) {
  const PointLists keys = points_of_keys(trace);
  if (contains(set, Guarantee::writes_follow_reads)) {
    if (trace.has_lists()) return Finding::declined();
    std::vector<Point> seed = refute_writes_follow_reads(trace, keys);
    return seed.empty() ? Finding::holds() : Finding::violated(std::move(seed));
  }
  return first_refuted(trace, trace.keys(), [&](std::size_t part, std::size_t) {
    const auto key = static_cast<KeyId>(part);
    return KeyGuarantees(trace, set, key, keys.of(key)).refute();
  });
}

}  // namespace consistory
