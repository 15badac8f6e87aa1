#include "checkers/fast/visibility.h"

#include <utility>

#include "checkers/fast/schedule.h"

namespace consistory {

bool Visibility::can_follow(GuaranteeSet set) {
  const bool follows = contains(set, Guarantee::writes_follow_reads);
  return contains(set, Guarantee::monotonic_writes) &&
         (!follows || contains(set, Guarantee::monotonic_reads));
}

class VisibilityBuilder {
 public:
  VisibilityBuilder(const Trace& trace, GuaranteeSet set)
      : trace_(trace),
        transitive_(contains(set, Guarantee::writes_follow_reads)),
        monotonic_(contains(set, Guarantee::monotonic_reads)) {
    out_.trace_ = &trace;
    out_.set_ = set;
    out_.width_ = std::max<Chain>(trace.chains(), 1);
    out_.row_of_.assign(trace.size(), 0);
    reserve_rows();
    out_.rows_.assign(out_.width_, 0);
  }

  std::optional<Visibility> build(std::vector<Point>& cycle) {
    if (!transitive_) {
      for (Point point = 0; point < trace_.size(); ++point) visit(point);
      return std::move(out_);
    }
    Schedule schedule(trace_);
    const auto wait_for_sources = [&](Point point, std::uint32_t& asked) {
      return next_source(point, asked);
    };
    if (schedule.run(wait_for_sources, [&](Point point) { visit(point); })) return std::move(out_);
    for (const Schedule::Wait& wait : schedule.cycle()) {
      cycle.push_back(wait.point);
      cycle.push_back(wait.blocker);
    }
    return std::nullopt;
  }

 private:
  /// The sources of a point one after the other; kNoPoint after the last.
  Point next_source(Point point, std::uint32_t& asked) const {
    if (!trace_.reads(point)) return kNoPoint;
    if (!trace_.reads_list(point)) {
      const Point source = trace_.source(point);
      return asked++ == 0 && source < kInitial ? source : kNoPoint;
    }
    const auto elements = trace_.history().elements_of(trace_.operation(point));
    if (asked >= elements.size()) return kNoPoint;
    return trace_.append_of(trace_.key(point), elements[asked++]);
  }

  void visit(Point point) {
    out_.row_of_[point] = monotonic_ ? row_before(point) : 0;
    if (!trace_.reads(point)) return;
    grown_ = false;
    std::uint32_t asked = 0;
    for (Point source = next_source(point, asked); source != kNoPoint;
         source = next_source(point, asked)) {
      take(point, source);
    }
  }

  /// Room for a row for each read, touched only as it is used: growing would copy it all.
  void reserve_rows() {
    constexpr std::size_t kReservedMax = std::size_t{1} << 30;
    std::size_t reads = 1;
    for (Point point = 0; point < trace_.size(); ++point) reads += trace_.reads(point) ? 1 : 0;
    out_.rows_.reserve(std::min(reads * out_.width_, kReservedMax));
  }

  /// The row of the session's operation before: what its reads so far have seen.
  std::uint32_t row_before(Point point) const {
    const Point position = trace_.position(point);
    if (position == 0) return 0;
    return out_.row_of_[trace_.first(trace_.chain(point)) + position - 1];
  }

  void take(Point point, Point source) {
    const Point prefix = trace_.position(source) + (trace_.is_info(source) ? 0 : 1);
    raise(point, trace_.chain(source), prefix);
    if (!transitive_) return;
    // What is known of the source's session up to it came with everything it rests on.
    const std::uint32_t from = out_.row_of_[source];
    if (from != out_.row_of_[point] && from != 0) join(point, from);
  }

  void raise(Point point, Chain chain, Point value) {
    if (row(point)[chain] >= value) return;
    grow(point);
    row(point)[chain] = value;
  }

  /// Both loops without a branch in them: the compiler makes them a few vector instructions.
  void join(Point point, std::uint32_t from) {
    const std::size_t width = out_.width_;
    const Point* theirs = &out_.rows_[from * width];
    const Point* mine = row(point);
    Point brings = 0;
    for (std::size_t i = 0; i < width; ++i) brings |= mine[i] < theirs[i] ? 1U : 0U;
    if (brings == 0) return;
    grow(point);
    theirs = &out_.rows_[from * width];
    Point* grown = row(point);
    for (std::size_t i = 0; i < width; ++i) grown[i] = std::max(grown[i], theirs[i]);
  }

  Point* row(Point point) { return &out_.rows_[std::size_t{out_.row_of_[point]} * out_.width_]; }

  /// Gives the point at hand a row of its own.
  void grow(Point point) {
    if (std::exchange(grown_, true)) return;
    const std::size_t fresh = out_.rows_.size();
    out_.rows_.resize(fresh + out_.width_);
    std::copy_n(row(point), out_.width_, &out_.rows_[fresh]);
    out_.row_of_[point] = static_cast<std::uint32_t>(fresh / out_.width_);
  }

  const Trace& trace_;
  bool transitive_;
  bool monotonic_;
  bool grown_ = false;  // the point at hand has a row of its own
  Visibility out_;
};

std::optional<Visibility> Visibility::of(const Trace& trace, GuaranteeSet set,
                                         std::vector<Point>& cycle) {
  return VisibilityBuilder(trace, set).build(cycle);
}

Point Visibility::counted_reads(Point reader, Chain chain) const {
  if (chain == trace_->chain(reader))
    return has(Guarantee::monotonic_reads) ? trace_->position(reader) : 0;
  return has(Guarantee::writes_follow_reads) ? row(reader)[chain] : 0;
}

bool Visibility::sees(Point reader, Point update) const {
  if (!trace_->is_info(update))
    return seen(reader, trace_->chain(update)) > trace_->position(update);
  for (const Point other : trace_->readers_of(update)) {
    if (other == reader) return true;
    if (trace_->is_info(other)) {
      if (has(Guarantee::writes_follow_reads) && sees(reader, other)) return true;
    } else if (trace_->position(other) < counted_reads(reader, trace_->chain(other))) {
      return true;
    }
  }
  return false;
}

}  // namespace consistory
