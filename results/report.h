#pragma once
// report.html: one self-contained offline file for one run. Everything that a store, a history or a
// file name brought in is escaped (html.h).

#include <string>

#include "results/run_record.h"

namespace consistory {

std::string report_html(const RunRecord& run);

}  // namespace consistory
