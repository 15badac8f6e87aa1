#pragma once
// Isolation levels by brute force from their definitions (levels.h): every choice of what of
// unknown outcome took effect, every order of commits. Shares nothing with the checkers but the
// history. For a handful of transactions: tests, and the re-check of every witness.

#include "checkers/transactions/levels.h"

namespace consistory {

/// At most so many transactions; more would take hours.
constexpr std::size_t kOracleTransactionsMax = 7;

bool oracle_allows(const TransactionHistory& history, Level level);

}  // namespace consistory
