#include "checkers/fast/session_view.h"

#include <algorithm>
#include <utility>

#include "checkers/fast/schedule.h"

namespace consistory {

ViewGround::ViewGround(const Trace& trace, const Visibility* base)
    : trace_(trace), base_(base), begin_(trace.chains() + 1, 0), info_reads_(trace.chains()) {
  for (Chain chain = 0; chain < trace.chains(); ++chain) {
    for (Point point = trace.first(chain); point < trace.first(chain) + trace.length(chain);
         ++point) {
      if (trace.updates(point)) updates_.push_back({point, trace.key(point)});
      if (!trace.reads(point)) continue;
      if (trace.reads_register(point)) {
        note_info_read(point, trace.source(point));
      } else {
        for (const ValueId element : trace.history().elements_of(trace.operation(point)))
          note_info_read(point, trace.append_of(trace.key(point), element));
      }
    }
    begin_[chain + 1] = static_cast<std::uint32_t>(updates_.size());
  }
  if (causal() && !reads_are_of_the_past()) rank_by_schedule();
}

/// Real histories read what was written before: then invocation order is a causal order.
bool ViewGround::reads_are_of_the_past() const {
  if (trace_.has_lists()) return false;
  for (Point point = 0; point < trace_.first_info(); ++point) {
    const Point source = trace_.source(point);
    if (source >= kInitial || !trace_.reads_register(point)) continue;
    const Operation& reader = trace_.operation(point);
    const std::int64_t by = trace_.updates(point) ? reader.invoke : reader.complete;
    if (trace_.operation(source).invoke >= by) return false;
  }
  return true;
}

void ViewGround::note_info_read(Point reader, Point source) {
  if (source < kInitial && trace_.is_info(source))
    info_reads_[trace_.chain(reader)].push_back({trace_.position(reader), source});
}

void ViewGround::rank_by_schedule() {
  rank_.assign(trace_.size(), 0);
  std::uint32_t next = 0;
  const auto sources = [&](Point point, std::uint32_t& asked) -> Point {
    if (!trace_.reads(point)) return kNoPoint;
    if (trace_.reads_register(point))
      return asked++ == 0 && trace_.source(point) < kInitial ? trace_.source(point) : kNoPoint;
    const auto elements = trace_.history().elements_of(trace_.operation(point));
    if (asked >= elements.size()) return kNoPoint;
    return trace_.append_of(trace_.key(point), elements[asked++]);
  };
  Schedule(trace_).run(sources, [&](Point point) { rank_[point] = next++; });
}

ViewScratch::ViewScratch(const Trace& trace)
    : last_reader(trace.size(), 0),
      list_place(trace.has_lists() ? trace.size() : 0, UINT32_MAX),
      info_arrival(trace.size() - trace.first_info(), UINT32_MAX),
      of_key(trace.keys()),
      lowest(trace.keys(), UINT64_MAX) {}

SessionView::SessionView(const ViewGround& ground, Chain session, ViewScratch& scratch)
    : ground_(ground),
      trace_(ground.trace()),
      session_(session),
      scratch_(scratch),
      row_count_(trace_.length(session)),
      rows_((std::size_t{row_count_} + 1) * trace_.chains(), 0),
      active_(row_count_, false),
      grown_(trace_.chains()) {
  collect_reads();
  fill_rows();
}

/// Hands the scratch on as it came.
SessionView::~SessionView() {
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    const Point source = trace_.source(at(row));
    if (trace_.reads_register(at(row)) && source < kInitial) scratch_.last_reader[source] = 0;
    scratch_.of_key[trace_.key(at(row))] = {};
  }
  for (const std::vector<Point>& readers : list_reads_) {
    for (const ValueId element : trace_.history().elements_of(trace_.operation(readers.back())))
      scratch_.list_place[trace_.append_of(trace_.key(readers.back()), element)] = UINT32_MAX;
  }
  for (const Point info : infos_) scratch_.info_arrival[info - trace_.first_info()] = UINT32_MAX;
}

void SessionView::collect_reads() {
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    const Point point = at(row);
    if (!trace_.reads(point)) continue;
    ViewScratch::OfKey& key = scratch_.of_key[trace_.key(point)];
    if (trace_.reads_list(point)) {
      if (key.use == ViewScratch::Use::none) {
        key.guard = static_cast<Point>(list_reads_.size());
        list_reads_.emplace_back();
      }
      list_reads_[key.guard].push_back(point);
      key.use = ViewScratch::Use::a_list;
      continue;
    }
    if (trace_.source(point) == kInitial) key.initial = row + 1;
    else scratch_.last_reader[trace_.source(point)] = row + 1;
    key.use = ViewScratch::Use::a_register;
  }
  for (const std::vector<Point>& readers : list_reads_) {
    const auto list = trace_.history().elements_of(trace_.operation(readers.back()));
    for (std::uint32_t i = 0; i < list.size(); ++i)
      scratch_.list_place[trace_.append_of(trace_.key(readers.back()), list[i])] = i;
  }
}

void SessionView::fill_rows() {
  std::vector<Point> now(trace_.chains(), 0);
  const auto reach = [&](Point source) {
    const Chain chain = trace_.chain(source);
    const Point prefix = trace_.position(source) + (trace_.is_info(source) ? 0 : 1);
    if (prefix > now[chain]) now[chain] = prefix;
  };
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    const Point point = at(row);
    if (trace_.reads(point)) {
      active_[row] = true;
      if (ground_.causal()) {
        const auto seen = ground_.base().row(point);
        std::copy(seen.begin(), seen.end(), now.begin());
      } else if (trace_.reads_register(point)) {
        if (trace_.source(point) < kInitial) reach(trace_.source(point));
      } else {
        for (const ValueId element : trace_.history().elements_of(trace_.operation(point)))
          reach(trace_.append_of(trace_.key(point), element));
      }
    }
    now[session_] = 0;
    std::copy(now.begin(), now.end(), &arrived(row, 0));
  }
}

std::vector<Point> SessionView::refute() {
  // The reads of a list must each extend the one before.
  for (const std::vector<Point>& readers : list_reads_) {
    for (std::size_t i = 1; i < readers.size(); ++i) {
      const auto before = trace_.history().elements_of(trace_.operation(readers[i - 1]));
      const auto after = trace_.history().elements_of(trace_.operation(readers[i]));
      const auto [left, right] =
          std::mismatch(before.begin(), before.end(), after.begin(), after.end());
      if (left == before.end()) continue;
      const KeyId key = trace_.key(readers[i]);
      std::vector<Point> seed = {readers[i - 1], readers[i], trace_.append_of(key, *left)};
      if (right != after.end()) seed.push_back(trace_.append_of(key, *right));
      return seed;
    }
  }
  for (std::uint32_t row = 0; row < row_count_ && seed_.empty(); ++row) look_at_future(row);
  while (seed_.empty() && sweep() && changed_) continue;
  return std::move(seed_);
}

/// One pass over all rows; false once the view is refuted.
bool SessionView::sweep() {
  changed_ = false;
  cursor_.assign(trace_.chains(), 0);
  info_cursor_.assign(trace_.chains(), 0);
  info_here_.assign(trace_.size() - trace_.first_info(), false);
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    ViewScratch::OfKey& key = scratch_.of_key[trace_.key(at(row))];
    key.until = 0;
    key.row = kNoRow;
  }
  for (row_ = 0; row_ < row_count_; ++row_) {
    if (active_[row_]) arrive_at_row();
    take_own(at(row_));
    if (!seed_.empty()) return false;
  }
  return true;
}

void SessionView::arrive_at_row() {
  const Point* now = &arrived(row_, 0);
  const Point* before = now - trace_.chains();
  std::size_t grown = 0;
  for (Chain chain = 0; chain < trace_.chains(); ++chain) {
    grown_[grown] = chain;
    grown += now[chain] > before[chain] ? 1 : 0;
  }
  for (std::size_t i = 0; i < grown; ++i) arrive_range(grown_[i], now[grown_[i]]);
}

void SessionView::arrive_range(Chain chain, Point end) {
  const std::span<const ViewGround::Update> updates = ground_.updates_of_chain(chain);
  std::size_t next = cursor_[chain];
  const Point stop = trace_.first(chain) + end;
  for (; next < updates.size() && updates[next].point < stop; ++next)
    arrive(updates[next].point, updates[next].key);
  cursor_[chain] = next;
  if (!ground_.causal()) return;
  const auto reads = ground_.info_reads(chain);
  std::size_t& next_info = info_cursor_[chain];
  for (; next_info < reads.size() && reads[next_info].position < end; ++next_info)
    arrive_info(reads[next_info].update);
}

void SessionView::arrive_info(Point update) {
  const std::size_t info = update - trace_.first_info();
  if (info_here_[info]) return;
  info_here_[info] = true;
  const KeyId key = trace_.key(update);
  if (scratch_.of_key[key].use == ViewScratch::Use::a_register) infos_here_.push_back(update);
  arrive(update, key);
}

inline void SessionView::arrive(Point update, KeyId of) {
  ViewScratch::OfKey& key = scratch_.of_key[of];
  if (key.use == ViewScratch::Use::a_register) arrive_in_register(update, key);
  else if (key.use == ViewScratch::Use::a_list) arrive_in_list(update);
}

inline void SessionView::arrive_in_register(Point update, ViewScratch::OfKey& key) {
  if (key.initial > row_) return overwrite_initial(update, key.initial - 1);
  const bool guarded = key.until > row_;
  if (guarded && key.since < row_) return raise({update, key.since, key.until - 1, key.guard});
  const bool more = std::exchange(key.row, row_) == row_;
  const std::uint32_t until = scratch_.last_reader[update];
  if (guarded) crowded_.push_back(key.guard);
  if (until <= row_) return;
  if (more) crowded_.push_back(update);
  if (guarded) return;  // two that must each come last: close_block() says so
  key.guard = update;
  key.since = row_;
  key.until = until;
}

/// A read still to come returns the initial value.
void SessionView::overwrite_initial(Point update, std::uint32_t last_row) {
  if (!seed_.empty()) return;
  explain(update, last_row, raises_.size());
  refute_by(last_row);
}

void SessionView::arrive_in_list(Point append) {
  if (!seed_.empty()) return;
  const ViewScratch::OfKey& key = scratch_.of_key[trace_.key(append)];
  const std::vector<Point>& readers = list_reads_[key.guard];
  const std::uint32_t place = scratch_.list_place[append];
  // The last read that lacks it.
  const auto has_it = std::partition_point(readers.begin(), readers.end(), [&](Point reader) {
    return trace_.operation(reader).list.size <= place;
  });
  if (has_it != readers.begin()) {
    const std::uint32_t lacking = trace_.position(*std::prev(has_it));
    if (lacking >= row_) {
      explain(append, lacking, raises_.size());
      return refute_by(lacking);
    }
  }
  if (place == UINT32_MAX || place == 0) return;
  const std::uint32_t reader = trace_.position(*has_it);
  const KeyId list = trace_.key(append);
  const Point before =
      trace_.append_of(list, trace_.history().elements_of(trace_.operation(*has_it))[place - 1]);
  const bool own = trace_.chain(before) == session_ && !trace_.is_info(before);
  list_order_.push_back({before, append, reader});
  if (own) {
    if (trace_.position(before) < row_) return list_order_.pop_back();
    explain(append, row_, raises_.size());
    seed_.push_back(before);
    return refute_by(reader);
  }
  raise({before, row_, reader, append});
}

/// The session's own operation at this row, after all that arrived before it.
void SessionView::take_own(Point point) {
  const Point source = trace_.reads_register(point) ? trace_.source(point) : kNoPoint;
  if (source < kInitial && trace_.is_info(source)) arrive_info(source);
  if (trace_.reads_list(point)) {
    for (const ValueId element : trace_.history().elements_of(trace_.operation(point))) {
      const Point append = trace_.append_of(trace_.key(point), element);
      if (trace_.is_info(append)) arrive_info(append);
    }
  }
  for (std::size_t i = 0; i < infos_.size(); ++i) {  // an arrival may add to them
    const Point info = infos_[i];
    if (scratch_.info_arrival[info - trace_.first_info()] <= row_) arrive_info(info);
  }
  if (!crowded_.empty() || !list_order_.empty()) close_block();
  infos_here_.clear();
  if (!trace_.updates(point) || !seed_.empty()) return;
  ViewScratch::OfKey& key = scratch_.of_key[trace_.key(point)];
  if (key.use == ViewScratch::Use::none) return;
  if (key.use == ViewScratch::Use::a_list) {
    arrive_in_list(point);
    return list_order_.clear();
  }
  if (key.until > row_ + 1) {  // a later read returns what this overwrites
    explain(key.guard, row_, raises_.size());
    seed_.push_back(point);
    return refute_by(key.until - 1);
  }
  if (key.initial > row_ + 1) {
    seed_.push_back(point);
    return refute_by(key.initial - 1);
  }
  if (scratch_.last_reader[point] > row_ + 1) {
    key.guard = point;
    key.since = row_;
    key.until = scratch_.last_reader[point];
  }
}

/// A read cannot return what its own session updates later.
void SessionView::look_at_future(std::uint32_t row) {
  const Point reader = at(row);
  if (!trace_.reads(reader)) return;
  const auto look = [&](Point source) {
    const bool later = trace_.chain(source) == session_ && trace_.position(source) > row;
    if (later) seed_.insert(seed_.end(), {source, reader});
  };
  if (trace_.reads_register(reader)) {
    if (trace_.source(reader) < kInitial) look(trace_.source(reader));
    return;
  }
  for (const ValueId element : trace_.history().elements_of(trace_.operation(reader)))
    look(trace_.append_of(trace_.key(reader), element));
}

/// Whatever arrived at this row beside an update that will be read comes before it.
void SessionView::close_block() {
  if (!changed_) {
    collect_here();
    if (!block_agrees()) {
      order_crowd();
      solve_block();
    }
  }
  list_order_.clear();
  crowded_.clear();
}

/// The updates of registers read, indeterminate ones aside, that arrived at this row, as the rows
/// say: in a sweep that changed them they say more than what arrived.
void SessionView::collect_here() {
  here_.clear();
  for (Chain chain = 0; chain < trace_.chains() && !crowded_.empty(); ++chain) {
    const std::span<const ViewGround::Update> updates = ground_.updates_of_chain(chain);
    const Point from = trace_.first(chain) + before_row(chain);
    for (std::size_t i = cursor_[chain]; i-- > 0 && updates[i].point >= from;) {
      if (scratch_.of_key[updates[i].key].use == ViewScratch::Use::a_register)
        here_.push_back(updates[i].point);
    }
  }
}

/// Do the ranks order this row's arrivals as they must be? Most rows do, and need no graph.
bool SessionView::block_agrees() {
  for (const InBlock& order : list_order_) {
    if (ground_.rank(order.before) > ground_.rank(order.after)) return false;
  }
  for (const Point guard : crowded_) {
    std::uint64_t& lowest = scratch_.lowest[trace_.key(guard)];
    lowest = std::min(lowest, ground_.rank(guard));
  }
  const auto comes_before = [&](Point other) {
    return ground_.rank(other) <= scratch_.lowest[trace_.key(other)];
  };
  const bool agrees =
      crowded_.empty() || (std::all_of(here_.begin(), here_.end(), comes_before) &&
                           std::all_of(infos_here_.begin(), infos_here_.end(), comes_before));
  for (const Point guard : crowded_) scratch_.lowest[trace_.key(guard)] = UINT64_MAX;
  return agrees;
}

/// What arrived at this row beside a guard of its key comes before it.
void SessionView::order_crowd() {
  std::sort(crowded_.begin(), crowded_.end());
  crowded_.erase(std::unique(crowded_.begin(), crowded_.end()), crowded_.end());
  for (const Point guard : crowded_) {
    const auto order = [&](Point other) {
      if (other != guard && trace_.key(other) == trace_.key(guard))
        list_order_.push_back({other, guard, scratch_.last_reader[guard] - 1});
    };
    std::for_each(here_.begin(), here_.end(), order);
    std::for_each(infos_here_.begin(), infos_here_.end(), order);
  }
}

/// Is there an order of what arrived at this row? Says so with a graph of the block.
void SessionView::solve_block() {
  std::vector<Point> nodes;
  for (Chain chain = 0; chain < trace_.chains(); ++chain) {
    if (chain == session_) continue;
    for (Point p = before_row(chain); p < arrived(row_, chain); ++p) {
      if (trace_.updates(trace_.first(chain) + p)) nodes.push_back(trace_.first(chain) + p);
    }
  }
  for (const InBlock& order : list_order_) {
    for (const Point end : {order.before, order.after}) {
      if (trace_.is_info(end)) nodes.push_back(end);
    }
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  const auto node_of = [&](Point point) {
    return static_cast<std::uint32_t>(std::lower_bound(nodes.begin(), nodes.end(), point) -
                                      nodes.begin());
  };
  const auto is_node = [&](Point point) {
    return std::binary_search(nodes.begin(), nodes.end(), point);
  };
  std::vector<Before> edges;
  for (std::uint32_t to = 0; to < nodes.size(); ++to) {
    for (Chain chain = 0; chain < trace_.chains(); ++chain) {
      const Point end = trace_.first(chain) + ground_.rests_on(nodes[to], chain);
      const auto after = std::lower_bound(nodes.begin(), nodes.end(), end);
      if (after == nodes.begin() || trace_.is_info(*std::prev(after))) continue;
      if (trace_.chain(*std::prev(after)) == chain)
        edges.push_back({node_of(*std::prev(after)), to, kNoPoint});
    }
    for (std::uint32_t from = node_of(trace_.first_info()); from < nodes.size(); ++from) {
      if (from != to && rests(nodes[to], nodes[from])) edges.push_back({from, to, kNoPoint});
    }
  }
  for (std::uint32_t i = 0; i < list_order_.size(); ++i) {
    const InBlock& order = list_order_[i];
    if (is_node(order.before) && is_node(order.after))
      edges.push_back({node_of(order.before), node_of(order.after), i});
  }
  for (const Before& step : find_cycle(static_cast<std::uint32_t>(nodes.size()), edges)) {
    if (step.because != kNoPoint) {
      explain_order(list_order_[step.because]);
    } else {
      seed_.push_back(nodes[step.from]);
      seed_.push_back(nodes[step.to]);
      if (ground_.causal()) explain_rest(nodes[step.to], nodes[step.from]);
    }
  }
}

bool SessionView::raise_chain(Chain chain, Point prefix, std::uint32_t row) {
  const bool grows = arrived(row, chain) < prefix;
  for (; row < row_count_ && arrived(row, chain) < prefix; ++row) arrived(row, chain) = prefix;
  return grows;
}

void SessionView::raise(const Raise& raise) {
  if (!seed_.empty()) return;
  bool grows = false;
  const bool info = trace_.is_info(raise.update);
  for (Chain chain = 0; chain < trace_.chains(); ++chain) {
    Point prefix = ground_.rests_on(raise.update, chain);
    if (!info && chain == trace_.chain(raise.update)) prefix = trace_.position(raise.update) + 1;
    if (chain != session_) {
      if (prefix > 0 && raise_chain(chain, prefix, raise.row)) grows = true;
    } else if (prefix > raise.row) {  // it rests on what the session does only then
      raises_.push_back(raise);
      explain(raise.update, raise.row, raises_.size());
      seed_.push_back(at(prefix - 1));
      if (ground_.causal()) explain_rest(raise.update, at(prefix - 1));
      return;
    }
  }
  if (info) {
    std::uint32_t& arrival = scratch_.info_arrival[raise.update - trace_.first_info()];
    if (arrival == UINT32_MAX) infos_.push_back(raise.update);
    if (arrival == UINT32_MAX || arrival > raise.row) {
      arrival = raise.row;
      grows = true;
    }
  }
  if (!grows) return;
  raises_.push_back(raise);
  active_[raise.row] = true;
  changed_ = true;
}

}  // namespace consistory
