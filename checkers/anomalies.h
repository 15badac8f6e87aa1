#pragma once
// Everything that went wrong in a history, sorted into the classes that the literature names, and
// counted. A verdict rests on one proven witness; this tells whether it was one read or thousands,
// and where. Each class is a pattern that a person can check by looking at the operations of an
// example; none decides a verdict.

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "checkers/history/history.h"

namespace consistory {

enum class Anomaly : std::uint8_t {
  thin_air_read,
  future_read,
  stale_read,
  non_monotonic_read,
  own_write_missed,
  overwritten_read,
  list_order_conflict,
  list_gap,
  repeated_element,
  lost_update,
  lost_append,
  divergence,
};

/// "non-monotonic-read": stable, for JSON.
std::string_view name_of(Anomaly anomaly);
/// What an operation of the class did, and the source of the name.
std::string_view meaning_of(Anomaly anomaly);

struct AnomalyGroup {
  Anomaly anomaly = Anomaly::thin_air_read;
  std::size_t count = 0;             ///< reads; lost updates and appends; for divergence, keys
  std::size_t keys = 0;              ///< distinct ones
  std::size_t sessions = 0;          ///< distinct ones
  Nanos first_ns = 0;                ///< when the first was invoked
  std::vector<OperationId> example;  ///< the first, with the operations that show it; ascending
};

/// The weakest model of ours that forbids the class: where it holds there are none.
std::string_view forbidden_by(Anomaly anomaly);

/// Which classes to look for.
using AnomalySet = std::function<bool(Anomaly)>;

/// The classes that occur, in the order above. Values that two updates wrote tell nothing and are
/// left out. O(n log n), plus the lengths of the lists (of final reads of
/// one list, only the first few millions of lookups); overwritten reads, O(n · sessions · log n).
std::vector<AnomalyGroup> group_anomalies(const History& history, const AnomalySet& wanted);

}  // namespace consistory
