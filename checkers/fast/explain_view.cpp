// Why an update had to arrive by some row of a session's view: what the row rests on, or a raise
// and what that rests on in turn.
#include <algorithm>

#include "checkers/fast/arbitration.h"
#include "checkers/fast/session_view.h"

namespace consistory {

/// Does `update` rest on `on`?
bool SessionView::rests(Point update, Point on) const {
  if (ground_.causal()) return ground_.base().sees(update, on);
  return !trace_.is_info(on) && ground_.rests_on(update, trace_.chain(on)) > trace_.position(on);
}

void SessionView::explain_rest(Point update, Point on) {
  if (!trace_.updates(on)) {  // a read of the session itself: it is in the past by its session
    for (Point later = on; later < trace_.first(session_) + row_count_; ++later) {
      if (!trace_.updates(later)) continue;
      if (!ground_.base().sees(update, later)) break;
      on = later;
      break;
    }
  }
  if (!trace_.updates(on) || !ground_.base().sees(update, on)) return;
  const std::vector<Point> why = explain_sight(trace_, ground_.base(), update, on);
  seed_.insert(seed_.end(), why.begin(), why.end());
}

void SessionView::explain(Point update, std::uint32_t row, std::size_t raises_before) {
  if (!explained_.insert({update, row}).second) return;
  seed_.push_back(update);
  if (explain_base(update, row)) return;
  for (std::size_t i = 0; i < raises_before; ++i) {
    const Raise raise = raises_[i];
    const bool brings = raise.update == update || rests(raise.update, update);
    if (raise.row > row || !brings) continue;
    if (raise.update != update && ground_.causal()) explain_rest(raise.update, update);
    seed_.insert(seed_.end(), {raise.update, raise.source, at(raise.reader)});
    explain(raise.update, raise.reader, i);
    explain(raise.source, raise.row, i);
    return;
  }
}

/// False if the row does not rest on it by itself.
bool SessionView::explain_base(Point update, std::uint32_t row) {
  if (trace_.chain(update) == session_ && !trace_.is_info(update)) return true;
  const auto shown_by = [&](Point reader, Point source) {
    if (source != update && !rests(source, update)) return false;
    if (source != update && trace_.chain(source) != trace_.chain(update)) return false;
    seed_.insert(seed_.end(), {reader, source});
    return true;
  };
  for (std::uint32_t i = 0; i <= row; ++i) {
    const Point reader = at(i);
    if (!trace_.reads(reader)) continue;
    if (ground_.causal()) {
      if (!ground_.base().sees(reader, update)) continue;
      const std::vector<Point> why = explain_sight(trace_, ground_.base(), reader, update);
      seed_.insert(seed_.end(), why.begin(), why.end());
      return true;
    }
    if (trace_.reads_register(reader)) {
      if (trace_.source(reader) < kInitial && shown_by(reader, trace_.source(reader))) return true;
      continue;
    }
    for (const ValueId element : trace_.history().elements_of(trace_.operation(reader))) {
      if (shown_by(reader, trace_.append_of(trace_.key(reader), element))) return true;
    }
  }
  return false;
}

/// The read came after `before` and returned, or showed in a list, `after`.
void SessionView::explain_order(const InBlock& order) {
  explain(order.before, order.reader, raises_.size());
  seed_.insert(seed_.end(), {order.before, order.after, at(order.reader)});
}

}  // namespace consistory
