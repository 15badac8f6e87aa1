#pragma once
// Random small histories for tests: a simulated store that is now strong, now weak, and clients
// that meet every awkward case (indeterminate updates, cas, lists, versions, overlapping
// operations).

#include <cstdint>
#include <string>

#include "base/random.h"
#include "checkers/history/history.h"

namespace consistory {

struct HistoryShape {
  std::size_t operations = 8;
  std::size_t sessions = 3;
  std::size_t keys = 2;
  double lists = 0.3;     ///< share of keys that are lists
  double cas = 0.1;       ///< share of register operations
  double mismatches = 0;  ///< share of cas that met another value, half of which tell it
  double deletes = 0;     ///< share of updates of registers that delete
  double info = 0.1;      ///< share of updates that stay indeterminate
  double versions = 0;    ///< share of operations that tell a version
  double duplicates = 0;  ///< share of writes of a value written before
  double stale = 0.3;     ///< share of reads that return something older, newer or foreign
};

History random_history(Random& random, const HistoryShape& shape);

/// One operation a line, with its interval, for messages.
std::string text_of(const History& history);

/// A number that the environment sets for longer searches.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise);

/// A shape drawn at random: sizes up to those given.
HistoryShape random_shape(Random& random, std::size_t operations_max);

}  // namespace consistory
