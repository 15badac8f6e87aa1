#include "checkers/staleness.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace consistory {
namespace {

constexpr OperationId kNobody = UINT32_MAX;
constexpr OperationId kSeveral = kNobody - 1;

/// One key's acknowledged updates, by invocation and by completion; of the latter, how far a walk
/// through the history has come.
struct Timeline {
  struct Update {
    std::int64_t invoke = 0;
    std::int64_t complete = 0;
    Nanos complete_ns = 0;
    OperationId id = 0;
  };
  std::vector<Update> by_invoke;  // with the first completion from there on, in `complete`
  std::vector<std::pair<std::int64_t, std::int64_t>> completed;  // and its invocation; ascending
  std::vector<Nanos> completed_ns;                               // ascending
  std::size_t done = 0;             // of `completed`, those before the read at hand
  std::int64_t newest = INT64_MIN;  // the last invocation of those

  void finish() {
    for (const Update& update : by_invoke) {
      completed.emplace_back(update.complete, update.invoke);
      completed_ns.push_back(update.complete_ns);
    }
    std::sort(completed_ns.begin(), completed_ns.end());
    std::sort(completed.begin(), completed.end());
    for (std::size_t i = by_invoke.size(); i-- > 1;) {
      if (by_invoke[i].complete >= by_invoke[i - 1].complete) continue;
      by_invoke[i - 1].complete = by_invoke[i].complete;
      by_invoke[i - 1].complete_ns = by_invoke[i].complete_ns;
      by_invoke[i - 1].id = by_invoke[i].id;
    }
  }

  /// Goes on to a read, which must not be invoked before the last one was.
  void advance(const Operation& read) {
    for (; done < completed.size() && completed[done].first < read.invoke; ++done)
      newest = std::max(newest, completed[done].second);
  }

  /// When the newest update that is done became so; -1: none is.
  Nanos newest_done() const { return done == 0 ? -1 : completed_ns[done - 1]; }

  /// Is one that is done newer than what completed at `since`?
  bool is_stale(std::int64_t since) const { return newest > since; }

  /// The first to complete of what was invoked after `since`.
  std::vector<Update>::const_iterator first_newer(std::int64_t since) const {
    return std::upper_bound(by_invoke.begin(), by_invoke.end(), since,
                            [](std::int64_t stamp, const Update& u) { return stamp < u.invoke; });
  }

  /// Of a read that is stale.
  Lag lag(std::int64_t since, const Operation& read) const {
    const auto first = first_newer(since);
    const auto after = by_invoke.end() - first;
    const auto open = static_cast<std::ptrdiff_t>(completed.size() - done);
    return {static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(after - open, 1)),
            std::max<Nanos>(read.invoke_ns - first->complete_ns, 0)};
  }
};

/// How long before a read the newest update had completed, doubled, and one more if the read was
/// fresh: one number, since half a million of them are sorted.
using Age = std::uint64_t;
Age age_of(Nanos time, bool fresh) { return static_cast<Age>(time) << 1U | (fresh ? 1U : 0U); }
Nanos time_of(Age age) { return static_cast<Nanos>(age >> 1U); }

/// The least age such that of the reads at that age or older the share of fresh ones is at least
/// `share`; -1. `ages` is ascending.
Nanos visible_from(const std::vector<Age>& ages, double share) {
  Nanos from = -1;
  std::size_t fresh = 0;
  for (std::size_t older = 1; older <= ages.size(); ++older) {
    const std::size_t at = ages.size() - older;
    fresh += ages[at] & 1U;
    const bool more_of_this_age = at > 0 && time_of(ages[at - 1]) == time_of(ages[at]);
    if (more_of_this_age) continue;
    if (static_cast<double>(fresh) >= share * static_cast<double>(older)) from = time_of(ages[at]);
  }
  return from;
}

/// The value below which that share of them lies; 0 of none.
template <class Number>
Number quantile(std::vector<Number>& numbers, double share) {
  if (numbers.empty()) return 0;
  const auto last = static_cast<double>(numbers.size() - 1);
  const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(share * last);
  std::nth_element(numbers.begin(), at, numbers.end());
  return *at;
}

class Measurement {
 public:
  explicit Measurement(const History& history)
      : history_(history), writer_(history.values.size(), kNobody), keys_(history.keys.size()) {
    for (OperationId id = 0; id < history.size(); ++id) add_update(id);
    for (Timeline& key : keys_) key.finish();
  }

  std::vector<StaleRead> stale() {
    std::vector<StaleRead> all;
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& read = history_.operations[id];
      const auto source = source_of(read);
      if (!source || completion_of(*source) == kNever) continue;
      Timeline& key = keys_[read.key];
      key.advance(read);
      const std::int64_t since = completion_of(*source);
      if (key.is_stale(since)) all.push_back({id, *source, key.first_newer(since)->id});
    }
    return all;
  }

  Staleness run() {
    for (const Operation& read : history_.operations) {
      if (const auto source = source_of(read)) add_read(read, *source);
    }
    Staleness staleness;
    staleness.reads = versions_.size();
    staleness.fresh = static_cast<std::size_t>(std::count(versions_.begin(), versions_.end(), 0U));
    staleness.median = {quantile(versions_, 0.5), quantile(times_, 0.5)};
    staleness.p99 = {quantile(versions_, 0.99), quantile(times_, 0.99)};
    staleness.most = {quantile(versions_, 1), quantile(times_, 1)};
    std::sort(ages_.begin(), ages_.end());
    staleness.visible_99 = visible_from(ages_, 0.99);
    staleness.visible_999 = visible_from(ages_, 0.999);
    return staleness;
  }

 private:
  void add_update(OperationId id) {
    const Operation& update = history_.operations[id];
    if (!update.updates() || update.outcome == Outcome::fail || history_.is_list[update.key])
      return;
    OperationId& writer = writer_[update.value];
    writer = writer == kNobody ? id : kSeveral;
    if (update.outcome == Outcome::ok)
      keys_[update.key].by_invoke.push_back(
          {update.invoke, update.complete, update.complete_ns, id});
  }

  /// Of an ordinary read whose writer is known: the update, or kNobody for the initial value.
  std::optional<OperationId> source_of(const Operation& read) const {
    const bool ordinary = read.function == Function::read && read.outcome == Outcome::ok &&
                          !read.final && !read.local && !history_.is_list[read.key];
    if (!ordinary) return std::nullopt;
    if (read.value == kNil)  // unless a delete may have written it
      return writer_[kNil] == kNobody ? std::optional(kNobody) : std::nullopt;
    const OperationId writer = writer_[read.value];
    const bool known = writer < kSeveral && history_.operations[writer].key == read.key;
    return known ? std::optional(writer) : std::nullopt;
  }

  /// Every update is newer than the initial value.
  std::int64_t completion_of(OperationId source) const {
    return source == kNobody ? INT64_MIN : history_.operations[source].complete;
  }

  void add_read(const Operation& read, OperationId source) {
    Timeline& key = keys_[read.key];
    key.advance(read);
    const std::int64_t since = completion_of(source);
    const Lag lag = key.is_stale(since) ? key.lag(since, read) : Lag{};
    if (const Nanos newest = key.newest_done(); newest >= 0)
      ages_.push_back(age_of(std::max<Nanos>(read.invoke_ns - newest, 0), lag.versions == 0));
    versions_.push_back(lag.versions);
    times_.push_back(lag.time);
  }

  const History& history_;
  std::vector<OperationId> writer_;  // per value
  std::vector<Timeline> keys_;
  std::vector<std::uint64_t> versions_;
  std::vector<Nanos> times_;
  std::vector<Age> ages_;  // of reads before which some update was complete
};

}  // namespace

Staleness measure_staleness(const History& history) { return Measurement(history).run(); }

std::vector<StaleRead> stale_reads(const History& history) { return Measurement(history).stale(); }

std::string staleness_text(const Staleness& staleness) {
  if (staleness.reads == 0) return "not measured: no register reads of values written once";
  if (staleness.fresh == staleness.reads)
    return fmt::format("all {} register reads were fresh", staleness.reads);
  const double share =
      100.0 * static_cast<double>(staleness.fresh) / static_cast<double>(staleness.reads);
  const auto seconds = [](Nanos time) { return static_cast<double>(time) / 1e9; };
  return fmt::format(
      "{:.1f} % of {} register reads were fresh; the others lagged by at most {} versions and "
      "{:.3f} s (99 % of all: {} versions, {:.3f} s){}",
      share, staleness.reads, staleness.most.versions, seconds(staleness.most.time),
      staleness.p99.versions, seconds(staleness.p99.time),
      staleness.visible_99 < 0 ? std::string()
                               : fmt::format("; {:.3f} s after the newest update, 99 % were fresh",
                                             seconds(staleness.visible_99)));
}

}  // namespace consistory
