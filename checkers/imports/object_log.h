#pragma once
// The logs of fastlin and fptlin: "# queue", then one call a line with its start and end.

#include "checkers/imports/import.h"

namespace consistory {

/// `enq 7 0 4` (fastlin) or `2 0 4 ENQ 7` (fptlin: session, start, end, method, value, answer).
/// Read-modify-writes of an integer become cas of a register.
Result<Imported> read_object_log(std::string_view content, const std::string& source);

}  // namespace consistory
