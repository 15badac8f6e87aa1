// Why a read must have seen an update: the way back through what brought it there.
#include "checkers/fast/arbitration.h"

namespace consistory {
namespace {

class Explanation {
 public:
  Explanation(const Trace& trace, const Visibility& visibility)
      : trace_(trace), visibility_(visibility) {}

  std::vector<Point> of(Point reader, Point update) {
    points_ = {update};
    while (reader != kNoPoint) {
      points_.push_back(reader);
      reader = step(reader, update);
    }
    return std::move(points_);
  }

 private:
  /// What brought `update` to `reader`: nothing further (kNoPoint), or an earlier read that saw it.
  Point step(Point reader, Point update) {
    if (follows_own(reader, update)) return kNoPoint;
    for_each_source(reader, [&](Point source) {
      if (brings(source, update)) found_ = source;
      return found_ != kNoPoint;
    });
    if (const Point source = std::exchange(found_, kNoPoint); source != kNoPoint) {
      points_.push_back(source);
      return kNoPoint;
    }
    return earlier_read(reader, update);
  }

  bool follows_own(Point reader, Point update) const {
    return visibility_.has(Guarantee::read_your_writes) && !trace_.is_info(update) &&
           trace_.chain(update) == trace_.chain(reader) &&
           trace_.position(update) < trace_.position(reader);
  }

  /// Is it the source, or before the source in its session?
  bool brings(Point source, Point update) const {
    if (source == update) return true;
    if (trace_.is_info(update) || trace_.chain(source) != trace_.chain(update)) return false;
    return trace_.position(update) < trace_.position(source);
  }

  template <class Visit>
  void for_each_source(Point reader, const Visit& visit) const {
    if (trace_.reads_register(reader)) {
      if (trace_.source(reader) < kInitial) visit(trace_.source(reader));
      return;
    }
    for (const ValueId element : trace_.history().elements_of(trace_.operation(reader))) {
      if (visit(trace_.append_of(trace_.key(reader), element))) return;
    }
  }

  /// The first read that saw it, of the reader's own session or, through one of its sources, of
  /// another: what a session's reads see only grows, so it can be searched for by halves.
  Point earlier_read(Point reader, Point update) {
    const Point own = first_to_see(trace_.chain(reader), trace_.position(reader), update);
    if (own != kNoPoint) return own;
    Point through = kNoPoint;
    for_each_source(reader, [&](Point source) {
      if (trace_.reads(source) && visibility_.sees(source, update)) through = source;
      if (through == kNoPoint)
        through = first_to_see(trace_.chain(source), trace_.position(source), update);
      if (through != kNoPoint) points_.push_back(source);
      return through != kNoPoint;
    });
    return through;
  }

  /// Among the first `end` points of the chain; kNoPoint if none of those saw it.
  Point first_to_see(Chain chain, Point end, Point update) const {
    if (trace_.is_info(update)) return first_to_read(chain, end, update);
    const Chain of = trace_.chain(update);
    const Point wanted = trace_.position(update);
    Point low = 0;
    Point high = end;
    while (low < high) {
      const Point middle = low + (high - low) / 2;
      if (visibility_.row(trace_.first(chain) + middle)[of] > wanted) high = middle;
      else low = middle + 1;
    }
    return low < end ? trace_.first(chain) + low : kNoPoint;
  }

  /// The same for an indeterminate update, which no row tells of.
  Point first_to_read(Chain chain, Point end, Point update) const {
    for (Point position = 0; position < end; ++position) {
      const Point point = trace_.first(chain) + position;
      if (trace_.reads(point) && visibility_.sees(point, update)) return point;
    }
    return kNoPoint;
  }

  const Trace& trace_;
  const Visibility& visibility_;
  Point found_ = kNoPoint;
  std::vector<Point> points_;
};

}  // namespace

std::vector<Point> explain_sight(const Trace& trace, const Visibility& visibility, Point reader,
                                 Point update) {
  return Explanation(trace, visibility).of(reader, update);
}

}  // namespace consistory
