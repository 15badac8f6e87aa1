#pragma once
// The cycle of a transaction anomaly as SVG: transactions on a circle, an arrow for each step,
// labelled as Adya (1999) labels the edges of a direct serialisation graph: wr, ww, rw.

#include <string>

#include "checkers/transactions/levels.h"

namespace consistory {

/// Empty for an anomaly that is no cycle.
std::string serialisation_graph_svg(const TransactionAnomaly& anomaly);

}  // namespace consistory
