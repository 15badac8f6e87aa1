#pragma once
// Adapter check: is what a description or a plugin says of a store true? One node, one client, and
// a list of things that must be so before a verdict about the store means anything; above all, that
// an update that nobody knows the end of is not told to have failed.

#include <string>
#include <vector>

#include "harness/run/plan.h"

namespace consistory {

struct AdapterFinding {
  enum class Kind : std::uint8_t { fine, wrong, left_out };
  Kind kind = Kind::fine;
  std::string what;    ///< "a read returns what was written"
  std::string detail;  ///< wrong: what came, and what to do
};

/// Starts one node if the store starts nodes, else goes to the first endpoint. An error if the
/// store or the plugin does not come up.
Result<std::vector<AdapterFinding>> check_adapter(const RunPlan& plan,
                                                  const std::string& directory);

}  // namespace consistory
