#pragma once
// A witness that an isolation level is violated: a few transactions, with the steps that matter,
// which the level forbids all by themselves, tried once more by brute force.
//
// Safe to leave out, since what a level allows it still allows without: a transaction, or a step of
// one, with every read of what it wrote (from lists, its elements go). So a remainder that is
// violated refutes the whole.

#include "checkers/transactions/levels.h"

namespace consistory {

/// Gives each violated level a witness where one is found, and calls a level open whose witness
/// brute force allows: that is a bug of ours. None is looked for where two transactions wrote one
/// value, or where no anomaly names its transactions and they are many.
void attach_witnesses(const TransactionHistory& history, TransactionJudgement& judgement);

}  // namespace consistory
