#include "checkers/fast/arbitration.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/parallel.h"
#include "checkers/fast/refutation.h"
#include "checkers/fast/schedule.h"
#include "checkers/fast/sight.h"

namespace consistory {
namespace {

/// An update that must precede another; some read of the key is the reason.
struct Precedence {
  Point from = kNoPoint;
  Point to = kNoPoint;
  auto operator<=>(const Precedence&) const = default;
};

class Arbitration {
 public:
  Arbitration(const Trace& trace, const Visibility& visibility)
      : trace_(trace),
        visibility_(visibility),
        transitive_(visibility.has(Guarantee::writes_follow_reads)),
        first_before_(trace.size(), 0),
        count_before_(trace.size(), 0),
        worker_of_(trace.size(), 0) {}

  Finding decide() {
    if (!look_at_futures()) return Finding::violated(std::move(seed_));
    Finding keys = look_at_keys();
    if (keys.answer == Finding::Answer::violated) return keys;
    add_version_order();
    std::sort(told_.begin(), told_.end(), [](const Precedence& a, const Precedence& b) {
      return std::pair(a.to, a.from) < std::pair(b.to, b.from);
    });
    Schedule schedule(trace_);
    const auto next = [&](Point point, std::uint32_t& asked) { return predecessor(point, asked); };
    if (schedule.run(next, [](Point) {})) return Finding::holds();
    explain_cycle(schedule.cycle());
    return Finding::violated(std::move(seed_));
  }

 private:
  /// Some of a key's updates, the work of one thread at a time.
  struct Slice {
    KeyId key = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  static constexpr std::size_t kSliceSize = 4096;

  /// What a thread works with, and what it found.
  struct Worker {
    explicit Worker(const Trace& trace, const Visibility& visibility)
        : last_seen(trace, visibility) {}
    LastSeen last_seen;
    std::vector<Point> before;
    std::vector<Precedence> told;
  };

  Finding look_at_keys() {
    std::vector<Slice> slices;
    for (KeyId key = 0; key < trace_.keys(); ++key) {
      const std::size_t size = trace_.updates_of(key).size();
      for (std::size_t begin = 0; begin == 0 || begin < size; begin += kSliceSize)
        slices.push_back({key, begin, std::min(size, begin + kSliceSize)});
    }
    workers_.resize(worker_count());
    Finding finding =
        first_refuted(trace_, slices.size(), [&](std::size_t part, std::size_t worker) {
          if (!workers_[worker]) workers_[worker] = std::make_unique<Worker>(trace_, visibility_);
          return look_at(slices[part], static_cast<std::uint8_t>(worker));
        });
    for (const auto& worker : workers_) {
      if (worker) told_.insert(told_.end(), worker->told.begin(), worker->told.end());
    }
    return finding;
  }

  std::vector<Point> look_at(const Slice& slice, std::uint8_t worker) {
    const KeySight sight(trace_, slice.key);
    if (slice.begin == 0) {
      const Oversight missed = first_oversight(trace_, visibility_, slice.key, sight);
      if (missed.reader != kNoPoint)
        return explain_sight(trace_, visibility_, missed.reader, missed.update);
      if (trace_.is_list(slice.key)) add_list_order(slice.key, workers_[worker]->told);
    }
    if (!trace_.is_list(slice.key)) order_around_winners(slice, sight, worker);
    return {};
  }

  bool violated_by(std::vector<Point> seed) {
    seed_ = std::move(seed);
    return false;
  }

  bool refuted_by_sight(Point reader, Point update) {
    return violated_by(explain_sight(trace_, visibility_, reader, update));
  }

  /// No session may see an update of its own future.
  bool look_at_futures() {
    for (Point point = 0; point < trace_.size(); ++point) {
      if (!trace_.reads(point)) continue;
      const Chain own = trace_.chain(point);
      const Point source = trace_.reads_register(point) ? trace_.source(point) : kNoPoint;
      const bool later_info = source < kInitial && trace_.is_info(source) &&
                              trace_.chain(source) == own && !trace_.is_info(point) &&
                              trace_.position(source) > trace_.position(point);
      if (later_info) return violated_by({point, source});
      const Point seen = visibility_.row(point)[own];
      if (seen > trace_.position(point))
        return refuted_by_sight(point, trace_.first(own) + seen - 1);
    }
    return true;
  }

  void add_list_order(KeyId key, std::vector<Precedence>& told) const {
    std::vector<Precedence> order;
    for (const Point reader : trace_.other_readers_of(key)) {
      Point last = kNoPoint;
      for (const ValueId element : trace_.history().elements_of(trace_.operation(reader))) {
        const Point append = trace_.append_of(key, element);
        if (last != kNoPoint) order.push_back({last, append});
        last = append;
      }
      if (order.size() > 1U << 20) remove_repeats(order);
    }
    remove_repeats(order);
    told.insert(told.end(), order.begin(), order.end());
  }

  static void remove_repeats(std::vector<Precedence>& order) {
    std::sort(order.begin(), order.end());
    order.erase(std::unique(order.begin(), order.end()), order.end());
  }

  void order_around_winners(const Slice& slice, const KeySight& sight, std::uint8_t worker) {
    std::vector<Point>& before = workers_[worker]->before;
    LastSeen& last_seen = workers_[worker]->last_seen;
    const auto updates = trace_.updates_of(slice.key).subspan(slice.begin, slice.end - slice.begin);
    last_seen.for_each_winner(updates, sight, [&](Point winner) {
      worker_of_[winner] = worker;
      first_before_[winner] = static_cast<std::uint32_t>(before.size());
      const std::span<const Point> row = visibility_.row(winner);
      last_seen.for_each(winner, sight, [&](Point last, Chain chain) {
        if (trace_.is_info(last) || !is_implied(last, chain, winner, row)) before.push_back(last);
      });
      count_before_[winner] = static_cast<std::uint32_t>(before.size()) - first_before_[winner];
      if (before.size() > UINT32_MAX) throw std::length_error("too many precedences to count");
      return true;
    });
  }

  /// Does the session order, or what `after` rests on (its row), put `before` of `chain` first?
  bool is_implied(Point before, Chain chain, Point after, std::span<const Point> row) const {
    const bool sees = transitive_ && before < trace_.first(chain) + row[chain];
    const bool counts = !transitive_ || visibility_.has(Guarantee::read_your_writes);
    return sees || (counts && trace_.chain(after) == chain &&
                    before < trace_.first(chain) + trace_.position(after));
  }

  void add_version_order() {
    if (!trace_.has_versions()) return;
    std::vector<Point> versioned;
    for (KeyId key = 0; key < trace_.keys(); ++key) {
      versioned.clear();
      for (const Point update : trace_.updates_of(key)) {
        if (trace_.version(update) != kNoVersion) versioned.push_back(update);
      }
      std::sort(versioned.begin(), versioned.end(),
                [&](Point a, Point b) { return trace_.version(a) < trace_.version(b); });
      for (std::size_t i = 1; i < versioned.size(); ++i)
        told_.push_back({versioned[i - 1], versioned[i]});
    }
  }

  /// First what it read, where that must precede it; then what the reads of it say; then what lists
  /// and versions say.
  Point predecessor(Point point, std::uint32_t& asked) const {
    std::uint32_t index = asked++;
    if (trace_.reads_register(point)) {
      const bool counts = transitive_ || trace_.updates(point);
      if (index == 0) {
        if (counts && trace_.source(point) < kInitial) return trace_.source(point);
        index = asked++;
      }
      --index;
    } else if (transitive_ && trace_.reads_list(point)) {
      const auto elements = trace_.history().elements_of(trace_.operation(point));
      if (index < elements.size()) return trace_.append_of(trace_.key(point), elements[index]);
      return kNoPoint;
    }
    if (index < count_before_[point])
      return workers_[worker_of_[point]]->before[first_before_[point] + index];
    return told_before(point, index - count_before_[point]);
  }

  Point told_before(Point point, std::uint32_t index) const {
    if (told_.empty()) return kNoPoint;
    const auto first =
        std::lower_bound(told_.begin(), told_.end(), point,
                         [](const Precedence& precedence, Point to) { return precedence.to < to; });
    const auto at = static_cast<std::size_t>(first - told_.begin()) + index;
    return at < told_.size() && told_[at].to == point ? told_[at].from : kNoPoint;
  }

  void explain_cycle(const std::vector<Schedule::Wait>& cycle) {
    for (const Schedule::Wait& wait : cycle) {
      seed_.push_back(wait.point);
      seed_.push_back(wait.blocker);
      const bool session_order = !trace_.is_info(wait.blocker) &&
                                 trace_.chain(wait.point) == trace_.chain(wait.blocker) &&
                                 trace_.position(wait.blocker) < trace_.position(wait.point);
      if (session_order) continue;
      const bool read_it = trace_.source(wait.point) == wait.blocker || !trace_.updates(wait.point);
      if (read_it) continue;
      explain_precedence({wait.blocker, wait.point});
    }
  }

  void explain_precedence(const Precedence& precedence) {
    if (trace_.is_list(trace_.key(precedence.to))) return explain_list_order(precedence);
    for (const Point reader : trace_.readers_of(precedence.to)) {
      if (!visibility_.sees(reader, precedence.from)) continue;
      const std::vector<Point> why = explain_sight(trace_, visibility_, reader, precedence.from);
      seed_.insert(seed_.end(), why.begin(), why.end());
      return;
    }
    // Versions say so, and those may have been told by readers.
    for (const Point update : {precedence.from, precedence.to})
      seed_.push_back(trace_.teller_of(update));
  }

  void explain_list_order(const Precedence& precedence) {
    const KeyId key = trace_.key(precedence.to);
    for (const Point reader : trace_.other_readers_of(key)) {
      Point last = kNoPoint;
      for (const ValueId element : trace_.history().elements_of(trace_.operation(reader))) {
        const Point append = trace_.append_of(key, element);
        if (last == precedence.from && append == precedence.to) {
          seed_.push_back(reader);
          return;
        }
        last = append;
      }
    }
  }

  const Trace& trace_;
  const Visibility& visibility_;
  bool transitive_;
  // Per point: which updates of the key must precede it by the reads, a slice of what its worker
  // found.
  std::vector<std::uint32_t> first_before_, count_before_;
  std::vector<std::uint8_t> worker_of_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Precedence> told_;  // by lists and versions
  std::vector<Point> seed_;
};

}  // namespace

Finding decide_arbitration(const Trace& trace, const Visibility& visibility) {
  return Arbitration(trace, visibility).decide();
}

}  // namespace consistory
