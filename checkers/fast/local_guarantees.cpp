#include "checkers/fast/local_guarantees.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

#include "checkers/fast/blocks.h"
#include "checkers/fast/cycles.h"
#include "checkers/fast/refutation.h"

namespace consistory {
namespace {

/// Points are nodes; further nodes stand for "all of these so far", which spares an edge each.
class OrderOfUpdates {
 public:
  /// Of some points, ascending; `ranks` tells of each where it stands among them.
  OrderOfUpdates(const Trace& trace, std::span<const Point> points,
                 const std::vector<std::uint32_t>& ranks)
      : trace_(trace),
        points_(points),
        ranks_(ranks),
        nodes_(static_cast<std::uint32_t>(points.size())) {}

  std::uint32_t node_of(Point point) const { return ranks_[point]; }
  std::uint32_t add_node() {
    if (nodes_ >= kNodesMax) throw std::length_error("too many updates seen out of order");
    return nodes_++;
  }
  void link(std::uint32_t from, std::uint32_t to, Point because) {
    if (edges_.size() >= kEdgesMax) throw std::length_error("too many updates seen out of order");
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
      if (step.because == kNoPoint) continue;
      seed.push_back(step.because);
      if (step.from < points_.size()) add_earlier_reads(points_[step.from], step.because, seed);
    }
    return seed;
  }

 private:
  static constexpr std::uint32_t kNodesMax = 30'000'000;
  static constexpr std::size_t kEdgesMax = 60'000'000;

  /// That the session of `reader` had seen `update` is shown by a read of its own.
  void add_earlier_reads(Point update, Point reader, std::vector<Point>& seed) const {
    for (const Point earlier : trace_.readers_of(update)) {
      const bool shows = earlier != reader && trace_.chain(earlier) == trace_.chain(reader) &&
                         !trace_.is_info(earlier);
      if (!shows) continue;
      seed.push_back(earlier);
      return;
    }
  }

  const Trace& trace_;
  std::span<const Point> points_;
  const std::vector<std::uint32_t>& ranks_;
  std::uint32_t nodes_;
  std::vector<Before> edges_;
};

/// What one session must have seen of one register so far: it all precedes whatever it reads next.
class Log {
 public:
  /// Where the updates of a key stand in the log that is under way; one for all sessions in turn.
  struct Places {
    explicit Places(std::size_t points) : owner(points, 0), index(points, 0) {}
    std::vector<std::uint32_t> owner, index;  // per rank: the log's number, and the entry
    std::uint32_t logs = 0;
  };

  Log(OrderOfUpdates& order, Places& places)
      : order_(order), places_(places), number_(++places.logs) {}

  /// The session's own update.
  void wrote(Point update) {
    if (find(update) != nullptr) return;
    const std::uint32_t all = order_.add_node();
    order_.link(order_.node_of(update), all, update);
    if (!entries_.empty()) order_.link(entries_.back().all_so_far, all, entries_.back().because);
    push({update, update, all, 0});
  }

  /// A read returned `source`: everything here precedes it, and if reads count it is here from now
  /// on. Not empty: what shows that this cannot be.
  std::vector<Point> returned(Point source, Point reader, bool counts) {
    if (Entry* known = find(source)) return returned_again(*known, source, reader);
    if (!entries_.empty()) order_.link(entries_.back().all_so_far, order_.node_of(source), reader);
    // All entries precede it, so it stands for them all.
    if (counts) push({source, reader, order_.node_of(source), 0});
    return {};
  }

  bool empty() const { return entries_.empty(); }
  Point first_update() const { return entries_.front().update; }
  Point first_because() const { return entries_.front().because; }

 private:
  struct Entry {
    Point update = kNoPoint;
    Point because = kNoPoint;  // shows that the session has seen it: a read, or itself
    std::uint32_t all_so_far = 0;
    std::uint32_t done = 0;  // entries below this precede `update` already
    bool read() const { return because != update; }
  };

  Entry* find(Point update) {
    const std::uint32_t rank = order_.node_of(update);
    return places_.owner[rank] == number_ ? &entries_[places_.index[rank]] : nullptr;
  }

  void push(const Entry& entry) {
    const std::uint32_t rank = order_.node_of(entry.update);
    places_.owner[rank] = number_;
    places_.index[rank] = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back(entry);
  }

  /// What was read since precedes it and follows it.
  std::vector<Point> returned_again(Entry& known, Point source, Point reader) {
    const auto index = static_cast<std::uint32_t>(&known - entries_.data());
    if (index > 0 && known.done == 0 && !known.read())
      order_.link(entries_[index - 1].all_so_far, order_.node_of(source), reader);
    for (known.done = std::max(known.done, index + 1); known.done < entries_.size(); ++known.done) {
      const Entry& since = entries_[known.done];
      if (since.read()) return {known.update, known.because, since.update, since.because, reader};
      order_.add(since.update, source, reader);
    }
    return {};
  }

  OrderOfUpdates& order_;
  Places& places_;
  std::uint32_t number_;
  std::vector<Entry> entries_;
};

class KeyGuarantees {
 public:
  KeyGuarantees(const Trace& trace, GuaranteeSet set, KeyId key, std::span<const Point> points,
                const std::vector<std::uint32_t>& ranks)
      : trace_(trace),
        reads_(contains(set, Guarantee::monotonic_reads)),
        writes_(contains(set, Guarantee::read_your_writes)),
        key_(key),
        points_(points),
        order_(trace, points, ranks),
        places_(points.size()) {}

  std::vector<Point> refute() {
    order_.add_key(key_, points_);
    for (std::size_t from = 0; from < points_.size() && !trace_.is_info(points_[from]);) {
      const std::size_t to = end_of_session(from);
      const auto session = points_.subspan(from, to - from);
      auto seed = trace_.is_list(key_) ? refute_lists(session) : refute_registers(session);
      if (!seed.empty()) return seed;
      from = to;
    }
    for (const Point point : points_) {
      if (!trace_.is_info(point) || !trace_.reads(point)) continue;
      if (auto seed = take_info(point); !seed.empty()) return seed;
    }
    return order_.refute();
  }

 private:
  std::size_t end_of_session(std::size_t from) const {
    std::size_t to = from;
    while (to < points_.size() && !trace_.is_info(points_[to]) &&
           trace_.chain(points_[to]) == trace_.chain(points_[from]))
      ++to;
    return to;
  }

  std::vector<Point> refute_registers(std::span<const Point> session) {
    Log log(order_, places_);
    for (const Point point : session) {
      if (trace_.reads(point)) {
        if (auto seed = take_read(point, log); !seed.empty()) return seed;
      }
      if (trace_.updates(point) && writes_) log.wrote(point);
    }
    return {};
  }

  std::vector<Point> take_read(Point point, Log& log) {
    const Point source = trace_.source(point);
    if (source == kInitial) {
      if (log.empty()) return {};
      return {log.first_because(), log.first_update(), point};
    }
    if (is_own_future(point, source)) return {source, point};
    return log.returned(source, point, reads_);
  }

  bool is_own_future(Point reader, Point source) const {
    return !trace_.is_info(reader) && trace_.chain(reader) == trace_.chain(source) &&
           trace_.position(source) >= trace_.position(reader) + (trace_.is_info(source) ? 1 : 0);
  }

  /// A list must have all that the session wrote, or read in a list, before.
  std::vector<Point> refute_lists(std::span<const Point> session) const {
    std::map<Point, Point> shown;  // per append: the operation that shows it was seen
    for (const Point point : session) {
      if (trace_.updates(point) && writes_) shown.emplace(point, point);
      if (!trace_.reads(point)) continue;
      const std::vector<Point> list = appends_in(point);
      for (const Point append : list) {
        if (is_own_future(point, append)) return {append, point};
      }
      for (const auto& [append, because] : shown) {
        if (!std::binary_search(list.begin(), list.end(), append)) return {append, because, point};
      }
      for (const Point append : list) {
        if (reads_) shown.emplace(append, point);
      }
    }
    return {};
  }

  std::vector<Point> appends_in(Point reader) const {
    std::vector<Point> appends;
    for (const ValueId element : trace_.history().elements_of(trace_.operation(reader)))
      appends.push_back(trace_.append_of(key_, element));
    std::sort(appends.begin(), appends.end());
    return appends;
  }

  /// An indeterminate cas comes after what its session did before.
  std::vector<Point> take_info(Point info) {
    Log log(order_, places_);
    const Point begin = trace_.first(trace_.chain(info));
    for (const Point point : points_) {
      if (point < begin || point >= begin + trace_.position(info)) continue;
      if (reads_ && trace_.reads_register(point) && trace_.source(point) < kInitial) {
        if (auto seed = log.returned(trace_.source(point), point, true); !seed.empty()) return seed;
      }
      if (writes_ && trace_.updates(point)) log.wrote(point);
    }
    return take_read(info, log);
  }

  const Trace& trace_;
  bool reads_, writes_;
  KeyId key_;
  std::span<const Point> points_;
  OrderOfUpdates order_;
  Log::Places places_;
};

/// What a session read precedes what it updates later.
std::vector<Point> refute_writes_follow_reads(const Trace& trace, const PointLists& keys) {
  std::vector<Point> all(trace.size());
  std::iota(all.begin(), all.end(), 0U);
  OrderOfUpdates order(trace, all, all);
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
  std::vector<std::uint32_t> ranks(trace.size());
  for (KeyId key = 0; key < trace.keys(); ++key) {
    std::uint32_t rank = 0;
    for (const Point point : keys.of(key)) ranks[point] = rank++;
  }
  return first_refuted(trace, trace.keys(), [&](std::size_t part, std::size_t) {
    const auto key = static_cast<KeyId>(part);
    return KeyGuarantees(trace, set, key, keys.of(key), ranks).refute();
  });
}

}  // namespace consistory
