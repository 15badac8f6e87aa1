#pragma once
// What the operations of a Jepsen history are about: registers, a lock, strings, or transactions.

#include "checkers/imports/import.h"
#include "checkers/imports/jepsen.h"

namespace consistory {

/// `keyed`: every value is a tuple [key value].
Result<Imported> from_jepsen(std::string_view content, const std::string& source,
                             JepsenNotation notation, bool keyed);

}  // namespace consistory
