#pragma once
// Trace: a history in which every value read has one possible source, laid out for checkers that
// must be near-linear (MODELS §1.3, §1.4).
//
// The operations that take part are numbered chain by chain, a chain being a session's completed
// operations in order; observed indeterminate updates, which nothing of their session follows, come
// last. So a session's prefix is a range of points, "how much of each session is in the past" is
// one number a session, and a key's updates in ascending order are grouped by session.

#include <tsl/robin_map.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/hash.h"
#include "checkers/history/history.h"
#include "checkers/order/resolution.h"

namespace consistory {

using Chain = std::uint32_t;
/// The source of a read of the initial value.
constexpr Point kInitial = kNoPoint - 1;

/// Lists of points, one for each item of some domain, in one array.
struct PointLists {
  std::vector<std::uint32_t> begin;  ///< one more than there are items
  std::vector<Point> points;

  std::span<const Point> of(std::uint32_t item) const {
    return std::span(points).subspan(begin[item], begin[item + 1] - begin[item]);
  }
};

class Trace {
 public:
  enum class Kind : std::uint8_t { reads = 1, updates = 2, list = 4 };

  /// Why there is no trace: a value that nobody can have written (a violation of every model but
  /// those of convergence), or one with several possible writers.
  struct Refusal {
    bool thin_air = false;
    std::vector<OperationId> operations;
  };

  /// O(n) expected, plus the length of all lists. `history` must outlive the trace.
  static std::optional<Trace> of(const History& history, Refusal& refusal);

  const History& history() const { return *history_; }
  Point size() const { return static_cast<Point>(id_.size()); }
  Chain chains() const { return static_cast<Chain>(chain_begin_.size() - 1); }
  Point first(Chain chain) const { return chain_begin_[chain]; }
  Point length(Chain chain) const { return chain_begin_[chain + 1] - chain_begin_[chain]; }
  /// Points from here on are indeterminate updates.
  Point first_info() const { return chain_begin_.back(); }
  bool is_info(Point point) const { return point >= first_info(); }

  OperationId id(Point point) const { return id_[point]; }
  const Operation& operation(Point point) const { return history_->operations[id_[point]]; }
  KeyId key(Point point) const { return key_[point]; }
  /// The session's chain; also of an indeterminate update.
  Chain chain(Point point) const { return chain_[point]; }
  /// Place in its chain; of an indeterminate update, how many operations of its session precede it.
  Point position(Point point) const { return position_[point]; }
  bool reads(Point point) const { return has(point, Kind::reads); }
  bool updates(Point point) const { return has(point, Kind::updates); }
  bool reads_list(Point point) const { return (kind_[point] & 5) == 5; }
  bool reads_register(Point point) const { return (kind_[point] & 5) == 1; }
  /// Of a register read or cas: an update, or kInitial.
  Point source(Point point) const { return source_[point]; }
  /// The append that put `value` into the list `key`.
  Point append_of(KeyId key, ValueId value) const;
  /// The version of an update, its own or as a reader told it; kNoVersion.
  std::int64_t version(Point point) const {
    return version_.empty() ? kNoVersion : version_[point];
  }

  /// The operation that told the version of an update: a reader, or the update itself.
  Point teller_of(Point update) const;

  std::uint32_t keys() const { return static_cast<std::uint32_t>(history_->keys.size()); }
  bool is_list(KeyId key) const { return history_->is_list[key]; }
  bool has_lists() const { return has_lists_; }
  bool has_versions() const { return !version_.empty(); }
  bool has_cas() const { return has_cas_; }
  /// Ascending.
  std::span<const Point> updates_of(KeyId key) const { return updates_.of(key); }
  /// The completed register reads and cas of the key that read its initial value, and all reads of
  /// it if it is a list; ascending.
  std::span<const Point> other_readers_of(KeyId key) const { return other_readers_.of(key); }
  /// Who read this update of a register; of an indeterminate append, the first read of each session
  /// that shows it. Ascending.
  std::span<const Point> readers_of(Point update) const { return readers_.of(update); }

 private:
  friend class TraceBuilder;
  bool has(Point point, Kind kind) const {
    return (kind_[point] & static_cast<std::uint8_t>(kind)) != 0;
  }

  const History* history_ = nullptr;
  std::vector<OperationId> id_;
  std::vector<KeyId> key_;
  std::vector<Chain> chain_;
  std::vector<Point> position_;
  std::vector<std::uint8_t> kind_;
  std::vector<Point> source_;
  std::vector<Point> chain_begin_;
  std::vector<std::int64_t> version_;
  std::vector<Point> append_of_value_;  // only with lists; kInitial: look among the shared ones
  tsl::robin_map<std::uint64_t, Point, MixHash> shared_appends_;  // of values in several lists
  PointLists updates_, other_readers_, readers_;
  bool has_lists_ = false;
  bool has_cas_ = false;
};

}  // namespace consistory
