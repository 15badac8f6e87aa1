#pragma once
// The models' definitions on one differentiated history (MODELS §3), by enumeration.

#include "checkers/oracle/differentiated.h"

namespace consistory::oracle {

bool sequential(const Differentiated& it, Steps& steps);
bool linearizable(const Differentiated& it, Steps& steps);
bool per_key_sequential(const Differentiated& it, Steps& steps);
bool pram(const Differentiated& it, Steps& steps);
bool weak_causal(const Differentiated& it, Steps& steps);
bool causal_memory(const Differentiated& it, Steps& steps);
bool causal_convergence(const Differentiated& it, Steps& steps);
/// Bits as in oracle.h.
bool guarantees(const Differentiated& it, unsigned set);
bool guarantee_view(const Differentiated& it, unsigned set, Steps& steps);
/// Every final read is the fold of all that must have arrived.
bool eventual(const Differentiated& it, bool settled);
/// Lists with the same elements are in the same order.
bool same_order(const Differentiated& it);

}  // namespace consistory::oracle
