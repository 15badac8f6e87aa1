#pragma once
// A question that falls into independent parts (keys, sessions), each of which may refute: asked of
// the parts in parallel, answered by the first of them that refutes, whatever the threads.

#include <cstddef>
#include <functional>

#include "checkers/fast/finding.h"

namespace consistory {

/// `refute(part, worker)` gives points that show a violation, or none. Calls with one worker do not
/// overlap. Parts after one that refutes may be left out. Short traces are not worth a thread.
Finding first_refuted(
    const Trace& trace, std::size_t parts,
    const std::function<std::vector<Point>(std::size_t part, std::size_t worker)>& refute);

}  // namespace consistory
