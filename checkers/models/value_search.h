#pragma once
// One legal order for histories whose values repeat, so that who read what is open: a search on the
// values themselves (MODELS §3.1, "ambiguous rf").
//
// A place in the search is how far each session got, which indeterminate updates took effect, and
// the state of each key; places that led nowhere are remembered, whole. Reads that fit run at once,
// which loses nothing. A value that somebody has still to read is not overwritten when nobody is
// left to bring it back.
//
// With real time, an operation also waits for all that completed before it was invoked: the next of
// each session says whether anything is left.

#include "checkers/history/history.h"
#include "checkers/order/budget.h"
#include "checkers/order/serialisation.h"

namespace consistory {

/// `operations` ascending, of any keys; no versions. Exponential in the number of sessions; open
/// when the budget of steps or the memory for dead places (512 MB) is used up.
Answer order_values(const History& history, const std::vector<OperationId>& operations,
                    bool real_time, Budget& budget);

}  // namespace consistory
