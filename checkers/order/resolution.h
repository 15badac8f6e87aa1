#pragma once
// Completions and resolutions (MODELS §1.3): the two existential quantifiers in front of every
// model.
//
// A completion keeps some of the indeterminate updates; a resolution gives every reading operation
// the update that it read (or INIT). A history satisfies a model iff some completion and some
// resolution do. An unobserved indeterminate update changes no verdict (§1.4), so the completion is
// exactly the set of indeterminate updates that the resolution reads from. Where written values are
// unique there is one resolution at most, found by look-up; with duplicates they are enumerated
// under a budget.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checkers/history/history.h"
#include "checkers/order/budget.h"

namespace consistory {

using Point = std::uint32_t;  ///< index into Resolved::points
constexpr Point kNoPoint = UINT32_MAX;

/// One operation of a completed history in which every value read has a known source.
struct ResolvedOperation {
  OperationId id = 0;
  SessionId session = 0;
  KeyId key = 0;
  bool updates = false;
  bool reads = false;
  bool info = false;
  bool list = false;
  std::int64_t invoke = 0;
  std::int64_t complete = kNever;
  std::vector<Point> sources;           ///< register: none (INIT) or one; list: one per element
  std::optional<std::int64_t> version;  ///< of an update, its own or as a reader reported it
  Point previous = kNoPoint;            ///< the session's last completed operation before this one
  std::uint32_t position = 0;           ///< place in its session
};

struct Resolved {
  const History* history = nullptr;
  std::vector<ResolvedOperation> points;  ///< in invocation order

  Point size() const { return static_cast<Point>(points.size()); }
  const ResolvedOperation& operator[](Point point) const { return points[point]; }
};

enum class ResolveEnd {
  exhausted_all,  ///< every resolution was tried
  stopped,        ///< the visitor asked to stop
  out_of_budget,
};

struct ResolveResult {
  ResolveEnd end = ResolveEnd::exhausted_all;
  std::uint64_t tried = 0;
  /// With no resolution at all: an operation whose value nobody can have written, or two whose
  /// versions contradict each other; empty if nothing stands out.
  std::vector<OperationId> unexplained;
};

struct ResolveScope {
  std::vector<OperationId> operations;  ///< ascending; failed ones and unknown reads are skipped
  bool ignore_cas_reads = false;        ///< take each cas as a blind write (convergence)
};

/// Calls `visit` for each resolution until it returns false.
ResolveResult for_each_resolution(const History& history, const ResolveScope& scope, Budget& budget,
                                  const std::function<bool(const Resolved&)>& visit);

/// All operations but local reads: what every model but the convergence ones judges.
ResolveScope ordinary_scope(const History& history);

}  // namespace consistory
