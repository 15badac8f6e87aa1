#pragma once
// Sets and counters: keys to which things are only added, in no order that anybody sees.
//
// A read shows exactly which additions it saw, so a history keeps such a key as a list, the
// elements of every read in one order that the checkers of lists can live with: a set, or a counter
// whose increments are distinct powers of four (the digits of the sum then tell which of them it
// counts, and how often, up to three times).
//
// Which order? Any that puts an addition before those that were made by who had seen it, or after
// it in its session: session guarantees then ask the same of the list as of the set. Invocation
// order does, where nothing is read before it is added. What asks for one order of all operations
// (sequential, linearizable, cache) is decided in checkers/sets/.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "checkers/history/history.h"

namespace consistory {

constexpr std::size_t kNoMistake = SIZE_MAX;

/// Makes a history with additions or increments, as its source tells it, one of lists. Returns the
/// operation that cannot be part of such a history, and `why`; else kNoMistake. Operations must be
/// sorted by invocation. O(n log n) with the length of all reads.
std::size_t make_sets(History& history, ValueInterner& values, std::string_view& why);

}  // namespace consistory
