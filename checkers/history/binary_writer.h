#pragma once
// Either form of a history into the other (binary_events.h), event by event, in the memory of a
// few batches.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/history/binary_events.h"

namespace consistory {

/// Takes bytes to write; false stops.
using ByteSink = std::function<bool(std::string_view)>;

struct Conversion {
  std::uint64_t events = 0;
  std::vector<std::string> notes;  ///< a torn end
};

/// The events as a binary history. Errors are those of the reading; "cannot write" if the sink
/// refused.
Result<Conversion> write_binary(EventBatches& events, const ByteSink& sink);
/// The events as JSON lines.
Result<Conversion> write_json_lines(EventBatches& events, const ByteSink& sink);

}  // namespace consistory
