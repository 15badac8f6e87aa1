#pragma once
// Small random histories of transactions, to compare the checkers with brute force: from a store
// that is now strict, now forgetful. All randomness comes from the generator given.

#include <string>

#include "base/random.h"
#include "checkers/transactions/transaction.h"

namespace consistory {

/// A handful of transactions, on registers and lists, some of them aborted or of unknown outcome.
TransactionHistory random_transactions(Random& random);

/// One transaction a line, with its outcome and interval, for messages.
std::string text_of(const TransactionHistory& history);

}  // namespace consistory
