#pragma once
// The verdict as text for a terminal or a log: plain lines, no line longer than it must be, every
// byte of the store's escaped.

#include <string>

#include "results/run_record.h"

namespace consistory {

struct TerminalStyle {
  bool colour = false;
};

/// `report` is the path of report.html, or empty.
std::string terminal_text(const RunRecord& run, const std::string& report,
                          const TerminalStyle& style);

}  // namespace consistory
