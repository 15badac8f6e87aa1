#pragma once
// Sections that every report of a run has.

#include "results/html.h"
#include "results/run_record.h"

namespace consistory {

/// "1.250 s"; of no time a dash.
std::string seconds(Nanos time);
/// A row of a table of two columns.
void row(Html& html, std::string_view name, std::string_view value);

/// The verdict in a sentence, what ran, and the command that runs it again.
void header_section(Html& html, const RunRecord& run);
/// Every fault with its evidence; nothing if there was none.
void faults_section(Html& html, const RunRecord& run);

}  // namespace consistory
