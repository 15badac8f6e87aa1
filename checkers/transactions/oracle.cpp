#include "checkers/transactions/oracle.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "base/check.h"

namespace consistory {
namespace {

constexpr int kInitial = -1;

struct Read {
  int reader = 0;
  std::size_t step = 0;
  KeyId key = 0;
  int source = kInitial;
};

/// One choice of which transactions took effect.
class World {
 public:
  World(const TransactionHistory& history, std::vector<bool> committed)
      : history_(history), committed_(std::move(committed)) {
    count_ = static_cast<int>(history.transactions.size());
  }

  bool allows(Level level) {
    if (!reads_are_legal(level)) return false;
    std::vector<int> order;
    for (int t = 0; t < count_; ++t) {
      if (committed_[t]) order.push_back(t);
    }
    do {
      position_.assign(count_, -1);
      for (std::size_t i = 0; i < order.size(); ++i) position_[order[i]] = static_cast<int>(i);
      if (order_fits(level)) return true;
    } while (std::next_permutation(order.begin(), order.end()));
    return false;
  }

 private:
  std::span<const Step> steps(int t) const {
    return history_.steps_of(static_cast<TransactionId>(t));
  }
  bool known_reads(int t) const { return history_.transactions[t].outcome == Outcome::ok; }

  int writer(KeyId key, ValueId value) const {
    for (int t = 0; t < count_; ++t) {
      for (const Step& step : steps(t)) {
        if (step.access != Access::read && step.key == key && step.value == value) return t;
      }
    }
    return -2;
  }
  std::optional<ValueId> last_write(int t, KeyId key, std::size_t before) const {
    std::optional<ValueId> value;
    for (std::size_t i = 0; i < before; ++i) {
      const Step& step = steps(t)[i];
      if (step.access != Access::read && step.key == key) value = step.value;
    }
    return value;
  }
  bool writes(int t, KeyId key) const {
    return t != kInitial && last_write(t, key, steps(t).size()).has_value();
  }

  /// Fills reads_; false if some read is an anomaly by itself that the level forbids.
  bool reads_are_legal(Level level) {
    const bool committed_only = level != Level::read_uncommitted;
    for (int t = 0; t < count_; ++t) {
      if (!committed_[t] || !known_reads(t)) continue;
      for (std::size_t i = 0; i < steps(t).size(); ++i) {
        const Step& step = steps(t)[i];
        if (step.access != Access::read) continue;
        const bool legal = history_.is_list[step.key] ? list_read(t, i, step, committed_only)
                                                      : register_read(t, i, step, committed_only);
        if (!legal) return false;
      }
    }
    return true;
  }

  bool source_is_legal(int t, KeyId key, ValueId value, bool committed_only, bool last) const {
    const int source = writer(key, value);
    if (source == -2) return false;
    if (!committed_only) return true;
    if (source == t || !committed_[source]) return false;
    return !last || last_write(source, key, steps(source).size()) == value;
  }

  bool register_read(int t, std::size_t i, const Step& step, bool committed_only) {
    if (const auto own = last_write(t, step.key, i)) return *own == step.value || !committed_only;
    int source = kInitial;
    if (step.value != kNil) {
      if (!source_is_legal(t, step.key, step.value, committed_only, true)) return false;
      source = writer(step.key, step.value);
    }
    reads_.push_back({t, i, step.key, source});
    return true;
  }

  std::vector<ValueId> own_appends(int t, KeyId key, std::size_t before) const {
    std::vector<ValueId> own;
    for (std::size_t i = 0; i < before; ++i) {
      const Step& step = steps(t)[i];
      if (step.access != Access::read && step.key == key) own.push_back(step.value);
    }
    return own;
  }

  bool list_read(int t, std::size_t i, const Step& step, bool committed_only) {
    const auto shown = history_.elements_of(step);
    std::vector<ValueId> list(shown.begin(), shown.end());
    if (std::set<ValueId>(list.begin(), list.end()).size() != list.size()) return false;
    for (const ValueId element : list) {
      const int source = writer(step.key, element);
      if (source == -2) return false;
      if (committed_only && !committed_[source]) return false;
    }
    for (const std::vector<ValueId>& other : lists_[step.key]) {
      const auto& shorter = other.size() < list.size() ? other : list;
      const auto& longer = other.size() < list.size() ? list : other;
      if (!std::equal(shorter.begin(), shorter.end(), longer.begin())) return false;
    }
    lists_[step.key].push_back(list);
    if (!committed_only) return true;
    const std::vector<ValueId> own = own_appends(t, step.key, i);
    if (own.size() > list.size() || !std::equal(own.rbegin(), own.rend(), list.rbegin()))
      return false;
    list.resize(list.size() - own.size());
    int source = kInitial;
    if (!list.empty()) {
      if (!source_is_legal(t, step.key, list.back(), true, true)) return false;
      source = writer(step.key, list.back());
    }
    reads_.push_back({t, i, step.key, source});
    return true;
  }

  bool before(int a, int b) const {
    return a == kInitial || (b != kInitial && position_[a] < position_[b]);
  }

  bool same_session_before(int a, int b) const {
    return a < b && history_.transactions[a].session == history_.transactions[b].session &&
           history_.transactions[a].outcome == Outcome::ok;
  }
  bool reads_from(int reader, int source) const {
    return std::any_of(reads_.begin(), reads_.end(), [&](const Read& read) {
      return read.reader == reader && read.source == source;
    });
  }
  bool real_time_before(int a, int b) const {
    const Transaction& first = history_.transactions[a];
    return first.outcome == Outcome::ok && first.complete != kNever &&
           first.complete < history_.transactions[b].invoke;
  }
  bool share_a_written_key(int a, int b) const {
    for (KeyId key = 0; key < history_.keys.size(); ++key) {
      if (writes(a, key) && writes(b, key)) return true;
    }
    return false;
  }

  bool order_fits(Level level) {
    for (const auto& [key, lists] : lists_) {
      for (const std::vector<ValueId>& list : lists) {
        if (!elements_fit(key, list)) return false;
      }
    }
    if (level == Level::read_uncommitted) return true;
    const bool strict = level == Level::strict_serializable || level == Level::strong_snapshot;
    for (int a = 0; a < count_; ++a) {
      for (int b = 0; b < count_; ++b) {
        if (a == b || !committed_[a] || !committed_[b] || before(a, b)) continue;
        if (same_session_before(a, b) || reads_from(b, a)) return false;
        if (strict && real_time_before(a, b)) return false;
      }
    }
    see(level);
    return std::all_of(reads_.begin(), reads_.end(),
                       [&](const Read& read) { return read_fits(read, level); });
  }

  /// Elements in commit order; what is not shown of those that took effect comes after.
  bool elements_fit(KeyId key, const std::vector<ValueId>& list) const {
    int last_committed = kInitial;
    for (const ValueId element : list) {
      const int next = writer(key, element);
      if (!committed_[next] || next == last_committed) continue;
      if (!before(last_committed, next)) return false;
      last_committed = next;
    }
    // Only the longest tells who came later.
    for (const std::vector<ValueId>& other : lists_.at(key)) {
      if (other.size() > list.size()) return true;
    }
    if (list.empty()) return true;
    const int last = writer(key, list.back());
    for (int t = 0; t < count_; ++t) {
      const bool shown = std::any_of(list.begin(), list.end(),
                                     [&](ValueId element) { return writer(key, element) == t; });
      if (committed_[t] && committed_[last] && writes(t, key) && !shown && !before(last, t))
        return false;
    }
    return true;
  }

  bool read_fits(const Read& read, Level level) const {
    for (int other = 0; other < count_; ++other) {
      if (!committed_[other] || other == read.source || other == read.reader) continue;
      if (!writes(other, read.key) || !is_visible(level, other, read)) continue;
      if (read.source == kInitial || !before(other, read.source)) return false;
    }
    return true;
  }

  bool is_visible(Level level, int other, const Read& read) const {
    if (level == Level::read_committed) {
      return std::any_of(reads_.begin(), reads_.end(), [&](const Read& earlier) {
        return earlier.reader == read.reader && earlier.step < read.step && earlier.source == other;
      });
    }
    return visible_[other][read.reader];
  }

  /// The visibility relation of the level under this order.
  void see(Level level) {
    visible_.assign(count_, std::vector<bool>(count_, false));
    for (int a = 0; a < count_; ++a) {
      for (int b = 0; b < count_; ++b) {
        if (a == b || !committed_[a] || !committed_[b]) continue;
        visible_[a][b] = same_session_before(a, b) || reads_from(b, a);
        if (level == Level::serializable || level == Level::strict_serializable)
          visible_[a][b] = before(a, b);
        if (level == Level::parallel_snapshot || level == Level::snapshot ||
            level == Level::strong_snapshot)
          visible_[a][b] = visible_[a][b] || (share_a_written_key(a, b) && before(a, b));
        if (level == Level::strong_snapshot)
          visible_[a][b] = visible_[a][b] || real_time_before(a, b);
      }
    }
    const bool closed = level == Level::causal || level == Level::parallel_snapshot;
    const bool prefix =
        level == Level::prefix || level == Level::snapshot || level == Level::strong_snapshot;
    for (int middle = 0; middle < count_ && closed; ++middle) {
      for (int a = 0; a < count_; ++a) {
        for (int b = 0; b < count_; ++b)
          visible_[a][b] = visible_[a][b] || (visible_[a][middle] && visible_[middle][b]);
      }
    }
    const auto direct = visible_;
    for (int a = 0; a < count_ && prefix; ++a) {
      for (int middle = 0; middle < count_; ++middle) {
        if (!committed_[a] || !committed_[middle] || !before(a, middle)) continue;
        for (int b = 0; b < count_; ++b) visible_[a][b] = visible_[a][b] || direct[middle][b];
      }
    }
  }

  const TransactionHistory& history_;
  std::vector<bool> committed_;
  int count_ = 0;
  std::vector<Read> reads_;
  std::map<KeyId, std::vector<std::vector<ValueId>>> lists_;
  std::vector<int> position_;
  std::vector<std::vector<bool>> visible_;
};

}  // namespace

bool oracle_allows(const TransactionHistory& history, Level level) {
  CONSISTORY_CHECK(history.transactions.size() <= kOracleTransactionsMax,
                   "too many for the oracle");
  std::vector<TransactionId> unknown;
  std::vector<bool> committed;
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    committed.push_back(history.transactions[id].outcome == Outcome::ok);
    if (history.transactions[id].outcome == Outcome::info) unknown.push_back(id);
  }
  for (std::size_t choice = 0; choice < std::size_t{1} << unknown.size(); ++choice) {
    for (std::size_t i = 0; i < unknown.size(); ++i) committed[unknown[i]] = (choice >> i & 1) != 0;
    if (World(history, committed).allows(level)) return true;
  }
  return false;
}

}  // namespace consistory
