#include "checkers/staleness.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace consistory {
namespace {

constexpr OperationId kNobody = UINT32_MAX;
constexpr OperationId kSeveral = kNobody - 1;

/// One key's acknowledged updates, by invocation and by completion.
struct Timeline {
  struct Update {
    std::int64_t invoke = 0;
    std::int64_t complete = 0;
    Nanos complete_ns = 0;
  };
  std::vector<Update> by_invoke;        // with the first completion from there on, in `complete`
  std::vector<std::int64_t> completed;  // ascending

  void finish() {
    for (const Update& update : by_invoke) completed.push_back(update.complete);
    std::sort(completed.begin(), completed.end());
    for (std::size_t i = by_invoke.size(); i-- > 1;) {
      if (by_invoke[i].complete >= by_invoke[i - 1].complete) continue;
      by_invoke[i - 1].complete = by_invoke[i].complete;
      by_invoke[i - 1].complete_ns = by_invoke[i].complete_ns;
    }
  }

  /// What is newer than something that completed at `since`, and complete before `read`.
  Lag newer(std::int64_t since, const Operation& read) const {
    const auto first =
        std::upper_bound(by_invoke.begin(), by_invoke.end(), since,
                         [](std::int64_t stamp, const Update& u) { return stamp < u.invoke; });
    if (first == by_invoke.end() || first->complete >= read.invoke) return {};
    const auto late = std::lower_bound(completed.begin(), completed.end(), read.invoke);
    const auto after = by_invoke.end() - first;
    const auto open = completed.end() - late;
    return {static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(after - open, 1)),
            std::max<Nanos>(read.invoke_ns - first->complete_ns, 0)};
  }
};

class Measurement {
 public:
  explicit Measurement(const History& history)
      : history_(history), writer_(history.values.size(), kNobody), keys_(history.keys.size()) {
    for (OperationId id = 0; id < history.size(); ++id) add_update(id);
    for (Timeline& key : keys_) key.finish();
  }

  Staleness run() {
    for (const Operation& read : history_.operations) add_read(read);
    Staleness staleness;
    staleness.reads = versions_.size();
    std::sort(versions_.begin(), versions_.end());
    std::sort(times_.begin(), times_.end());
    const auto fresh = std::upper_bound(versions_.begin(), versions_.end(), 0U);
    staleness.fresh = static_cast<std::size_t>(fresh - versions_.begin());
    staleness.median = quantile(0.5);
    staleness.p99 = quantile(0.99);
    staleness.most = quantile(1);
    return staleness;
  }

 private:
  void add_update(OperationId id) {
    const Operation& update = history_.operations[id];
    if (!update.updates() || update.outcome == Outcome::fail) return;
    OperationId& writer = writer_[update.value];
    writer = writer == kNobody ? id : kSeveral;
    if (update.outcome == Outcome::ok)
      keys_[update.key].by_invoke.push_back({update.invoke, update.complete, update.complete_ns});
  }

  void add_read(const Operation& read) {
    const bool ordinary = read.function == Function::read && read.outcome == Outcome::ok &&
                          !read.final && !read.local && !history_.is_list[read.key];
    if (!ordinary) return;
    std::int64_t since = INT64_MIN;  // the initial value: every update is newer
    if (read.value != kNil) {
      const OperationId writer = writer_[read.value];
      if (writer >= kSeveral || history_.operations[writer].key != read.key) return;
      since = history_.operations[writer].complete;
    }
    const Lag lag = since == kNever ? Lag{} : keys_[read.key].newer(since, read);
    versions_.push_back(lag.versions);
    times_.push_back(lag.time);
  }

  Lag quantile(double share) const {
    if (versions_.empty()) return {};
    const auto last = static_cast<double>(versions_.size() - 1);
    const auto at = static_cast<std::size_t>(share * last);
    return {versions_[at], times_[at]};
  }

  const History& history_;
  std::vector<OperationId> writer_;  // per value
  std::vector<Timeline> keys_;
  std::vector<std::uint64_t> versions_;
  std::vector<Nanos> times_;
};

}  // namespace

Staleness measure_staleness(const History& history) { return Measurement(history).run(); }

std::string staleness_text(const Staleness& staleness) {
  if (staleness.reads == 0) return "not measured: no register reads of values written once";
  if (staleness.fresh == staleness.reads)
    return fmt::format("all {} register reads were fresh", staleness.reads);
  const double share =
      100.0 * static_cast<double>(staleness.fresh) / static_cast<double>(staleness.reads);
  const auto seconds = [](Nanos time) { return static_cast<double>(time) / 1e9; };
  return fmt::format(
      "{:.1f} % of {} register reads were fresh; the others lagged by at most {} versions and "
      "{:.3f} s (99 % of all: {} versions, {:.3f} s)",
      share, staleness.reads, staleness.most.versions, seconds(staleness.most.time),
      staleness.p99.versions, seconds(staleness.p99.time));
}

}  // namespace consistory
