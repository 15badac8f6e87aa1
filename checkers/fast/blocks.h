#pragma once
// Blocks: what one order of a single key's operations must keep together.
//
// Where every value has one source, an update and its readers stand side by side in any legal order
// of the key's operations, and so does a chain of cas that swap over one another: a block. Inside,
// the order is fixed but for reads of one value. So ordering a key's operations is ordering its
// blocks, which makes linearizability (Gibbons and Korach 1997, here with cas and versions) and
// per-key sequential consistency near-linear (MODELS §3.2).

#include <functional>

#include "checkers/fast/finding.h"

namespace consistory {

struct Blocks {
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// Per operation of the key, in points ascending.
  struct Member {
    Point point = kNoPoint;
    std::uint32_t block = 0;
    std::uint32_t rank = 0;  ///< inside the block: lower must come earlier, equal may come anyhow
  };
  std::vector<Member> members;
  std::uint32_t count = 0;
  std::uint32_t initial = kNone;     ///< the block of the initial value, which must come first
  std::vector<Point> contradiction;  ///< not empty: no legal order exists, and this shows it

  /// `points` are the key's operations, ascending.
  static Blocks of_register(const Trace& trace, std::span<const Point> points);
};

/// The points of every key, ascending.
PointLists points_of_keys(const Trace& trace);

/// Consecutive updates of a key by the store's versions; `points` as above.
std::vector<Point> by_version(const Trace& trace, std::span<const Point> points);

/// A list's operations in the one order that its reads allow: an operation with a lower slot must
/// come before one with a higher.
struct ListSlots {
  std::vector<std::pair<Point, std::uint64_t>> slots;  ///< in points ascending
  std::vector<Point> contradiction;
  Point longest = kNoPoint;  ///< the read that shows the order
  bool declined = false;     ///< versions order some, not all, of the appends that no list shows

  /// What shows that `before`, of a higher slot, cannot precede `after`.
  std::vector<Point> explain(const Trace& trace, Point before, Point after) const;

  static ListSlots of(const Trace& trace, KeyId key, std::span<const Point> points);

 private:
  void place_unshown(const Trace& trace, std::span<const Point> points, std::uint64_t beyond);
};

/// Asks each key by itself, registers by their points and lists by their slots; a list that
/// contradicts itself needs no asking.
Finding decide_by_key(
    const Trace& trace,
    const std::function<std::vector<Point>(std::span<const Point> points)>& refute_register,
    const std::function<std::vector<Point>(ListSlots& list)>& refute_list);

Finding decide_linearizable(const Trace& trace);
Finding decide_cache(const Trace& trace);

}  // namespace consistory
