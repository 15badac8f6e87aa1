#pragma once
// Visibility: the least set of updates that every read must have seen under a set of session
// guarantees that includes monotonic writes (MODELS §3.6). Monotonic writes make what is visible of
// a session a prefix of it, so one number a session says it all: a row of a vector clock. With all
// four guarantees that is the causal past (theorem T1).
//
// Rows change only where a read brings something new, so operations share them: O(n · sessions)
// time and, at four bytes a session, the memory of the rows that differ.

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "checkers/fast/trace.h"
#include "checkers/models/guarantees.h"

namespace consistory {

class Visibility {
 public:
  /// Sets with monotonic writes, and with monotonic reads if they have writes follow reads.
  static bool can_follow(GuaranteeSet set);

  /// None if session order and reads-from form a cycle and `set` follows both; `cycle` then holds
  /// its reads and their sources.
  static std::optional<Visibility> of(const Trace& trace, GuaranteeSet set,
                                      std::vector<Point>& cycle);

  bool has(Guarantee guarantee) const { return contains(set_, guarantee); }

  /// How many of the chain's points, from its first, a reading point must have seen (the updates
  /// among them count). Of an update: what whoever sees it must have seen too.
  Point seen(Point point, Chain chain) const {
    const Point stored = row(point)[chain];
    const bool own = chain == trace_->chain(point) && has(Guarantee::read_your_writes);
    return own ? std::max(stored, trace_->position(point)) : stored;
  }
  /// seen() for every chain at once, but for what a session sees of itself by its own order alone.
  std::span<const Point> row(Point point) const {
    return std::span(rows_).subspan(std::size_t{row_of_[point]} * width_, width_);
  }
  /// Says that row(point) will be asked for soon: rows are far apart in memory. Always inlined:
  /// GCC leaves out calls of what only prefetches.
  [[gnu::always_inline]] void prefetch(Point point) const {
    constexpr std::size_t kLine = 64 / sizeof(Point);
    const Point* begin = rows_.data() + std::size_t{row_of_[point]} * width_;
    for (std::size_t i = 0; i < width_; i += kLine) __builtin_prefetch(begin + i);
  }
  /// Must `reader` have seen `update`? O(1), and O(readers) for an indeterminate update.
  bool sees(Point reader, Point update) const;
  /// What earlier reads of `chain`, those at positions below this, saw, `reader` must have seen.
  Point counted_reads(Point reader, Chain chain) const;

 private:
  friend class VisibilityBuilder;
  const Trace* trace_ = nullptr;
  GuaranteeSet set_ = kAllGuarantees;
  std::size_t width_ = 0;
  std::vector<Point> rows_;
  std::vector<std::uint32_t> row_of_;
};

}  // namespace consistory
