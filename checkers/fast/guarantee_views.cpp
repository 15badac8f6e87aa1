#include "checkers/fast/guarantee_views.h"

#include <algorithm>
#include <map>

#include "checkers/fast/blocks.h"
#include "checkers/fast/local_guarantees.h"
#include "checkers/fast/refutation.h"

namespace consistory {
namespace {

/// A read of what its own session updates later: no view orders the two.
std::vector<Point> own_future(const Trace& trace) {
  for (Point point = 0; point < trace.first_info(); ++point) {
    const Point source = trace.source(point);
    if (!trace.reads_register(point) || source >= kInitial) continue;
    const bool later =
        trace.chain(source) == trace.chain(point) && trace.position(source) > trace.position(point);
    if (later) return {source, point};
  }
  return {};
}

/// Its own indeterminate update comes after what a session read before it: that groups do not tell.
bool reads_own_info(const Trace& trace) {
  for (Point info = trace.first_info(); info < trace.size(); ++info) {
    for (const Point reader : trace.readers_of(info)) {
      if (trace.chain(reader) == trace.chain(info)) return true;
    }
  }
  return false;
}

/// Monotonic reads: once another value was read, the one before it does not come back.
std::vector<Point> value_that_came_back(const Trace& trace, std::span<const Point> points) {
  std::map<Point, Point> left;  // per abandoned source: the read that abandoned it
  Point last = kNoPoint;
  Chain session = UINT32_MAX;
  Point last_read = kNoPoint;
  for (const Point point : points) {
    if (trace.is_info(point)) break;
    if (trace.chain(point) != session) {
      left.clear();
      last_read = kNoPoint;
      session = trace.chain(point);
    }
    if (!trace.reads(point)) continue;
    const Point source = trace.source(point);
    if (last_read != kNoPoint && source != last) {
      if (source == kInitial) return {last_read, point};
      left[last] = point;
      if (const auto found = left.find(source); found != left.end()) {
        for (const Point earlier : points) {
          const bool first = trace.chain(earlier) == session && trace.reads(earlier) &&
                             !trace.is_info(earlier) && trace.source(earlier) == source;
          if (first) return {earlier, found->second, point};
        }
      }
    }
    last = source;
    last_read = point;
  }
  return {};
}

/// Read your writes orders a session's reads only against its own updates: reads between two of
/// those form a group, unordered among themselves. A value read in two groups is current from the
/// one to the other.
class OwnWrites {
 public:
  OwnWrites(const Trace& trace, std::span<const Point> points, const std::vector<Point>& group_of)
      : trace_(trace), points_(points), group_of_(group_of) {}

  /// Of the operations of one session and key, ascending.
  std::vector<Point> refute() {
    for (const Point point : points_) note(point);
    for (const auto& [source, span] : spans_) {
      if (auto seed = interrupted(source, span); !seed.empty()) return seed;
    }
    return shared_end();
  }

 private:
  /// In half groups: group g is 2g + 1, the boundary before it 2g.
  struct Span {
    std::int64_t from = INT64_MAX;
    std::int64_t to = INT64_MIN;
    Point first = kNoPoint;
    Point last = kNoPoint;
  };

  std::int64_t group(Point point) const { return 2 * std::int64_t{group_of_[point]} + 1; }
  /// An own update opens the group that it precedes.
  std::int64_t boundary(Point update) const { return 2 * std::int64_t{group_of_[update]}; }

  void note(Point point) {
    if (trace_.updates(point)) own_.push_back(point);
    if (!trace_.reads(point)) return;
    const Point source = trace_.source(point);
    Span& span = spans_[source];
    std::int64_t from = group(point);
    if (source == kInitial) from = -1;
    const bool own =
        source < kInitial && !trace_.is_info(source) && trace_.chain(source) == trace_.chain(point);
    if (own) from = boundary(source);
    if (from < span.from) span.first = own ? source : point;
    span.from = std::min(span.from, from);
    if (group(point) > span.to) span.last = point;
    span.to = std::max(span.to, group(point));
  }

  std::vector<Point> interrupted(Point source, const Span& span) const {
    for (const Point update : own_) {
      if (update != source && boundary(update) > span.from && boundary(update) < span.to)
        return ordered({span.first, update, span.last});
    }
    for (const Point reader : points_) {
      if (!trace_.reads(reader) || trace_.source(reader) == source) continue;
      if (group(reader) > span.from && group(reader) < span.to)
        return ordered({span.first, reader, span.last});
    }
    return {};
  }

  /// Two values that must each be the last of one group, or each the first.
  std::vector<Point> shared_end() const {
    std::map<std::int64_t, const Span*> lasting, coming;
    for (const auto& [source, span] : spans_) {
      if (span.from >= span.to) continue;
      const auto [next, fresh] = lasting.try_emplace(span.from, &span);
      if (!fresh && span.from != -1) return both(*next->second, span);
      const auto [previous, first] = coming.try_emplace(span.to, &span);
      if (!first) return both(*previous->second, span);
    }
    return {};
  }
  std::vector<Point> both(const Span& a, const Span& b) const {
    std::vector<Point> seed = ordered({a.first, a.last});
    const std::vector<Point> other = ordered({b.first, b.last});
    seed.insert(seed.end(), other.begin(), other.end());
    return seed;
  }

  /// Two reads are ordered by an update between them, and two updates by a read.
  std::vector<Point> ordered(std::vector<Point> points) const {
    const std::size_t count = points.size();
    for (std::size_t i = 1; i < count; ++i) {
      if (points[i - 1] >= kInitial || points[i] >= kInitial) continue;
      const bool updates = trace_.updates(points[i]);
      if (trace_.updates(points[i - 1]) != updates) continue;
      for (Point between = points[i - 1] + 1; between < points[i]; ++between) {
        if (trace_.updates(between) == updates) continue;
        points.push_back(between);
        break;
      }
    }
    return points;
  }

  const Trace& trace_;
  std::span<const Point> points_;
  const std::vector<Point>& group_of_;
  std::map<Point, Span> spans_;
  std::vector<Point> own_;
};

/// Per completed point: how many groups of reads its session closed before it by an update.
std::vector<Point> groups(const Trace& trace) {
  std::vector<Point> group_of(trace.size(), 0);
  for (Chain chain = 0; chain < trace.chains(); ++chain) {
    Point group = 0;
    bool read_since = false;
    for (Point p = trace.first(chain); p < trace.first(chain) + trace.length(chain); ++p) {
      if (trace.updates(p)) {
        group += read_since ? 1 : 0;
        read_since = false;
      } else {
        read_since = true;
      }
      group_of[p] = group;
    }
  }
  return group_of;
}

std::vector<Point> lost_own_write(const Trace& trace, std::span<const Point> points,
                                  const std::vector<Point>& group_of) {
  for (std::size_t from = 0; from < points.size() && !trace.is_info(points[from]);) {
    std::size_t to = from;
    while (to < points.size() && !trace.is_info(points[to]) &&
           trace.chain(points[to]) == trace.chain(points[from]))
      ++to;
    auto seed = OwnWrites(trace, points.subspan(from, to - from), group_of).refute();
    if (!seed.empty()) return seed;
    from = to;
  }
  return {};
}

}  // namespace

Finding decide_guarantee_view(const Trace& trace, Guarantee guarantee) {
  if (trace.has_lists() || trace.has_cas()) return Finding::declined();
  if (guarantee == Guarantee::writes_follow_reads && !trace.has_versions())
    return decide_local_guarantees(trace, static_cast<GuaranteeSet>(guarantee));
  if (guarantee == Guarantee::writes_follow_reads) return Finding::declined();
  if (auto seed = own_future(trace); !seed.empty()) return Finding::violated(std::move(seed));
  if (guarantee == Guarantee::monotonic_writes) return Finding::holds();
  if (guarantee == Guarantee::read_your_writes && reads_own_info(trace)) return Finding::declined();
  const PointLists keys = points_of_keys(trace);
  const std::vector<Point> group_of = groups(trace);
  return first_refuted(trace, trace.keys(), [&](std::size_t part, std::size_t) {
    const auto points = keys.of(static_cast<KeyId>(part));
    return guarantee == Guarantee::monotonic_reads ? value_that_came_back(trace, points)
                                                   : lost_own_write(trace, points, group_of);
  });
}

}  // namespace consistory
