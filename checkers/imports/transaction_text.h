#pragma once
// Transactions on registers as the AWDIT tests write them: `r KEY VALUE` and `w KEY VALUE`, a line
// each; `-----` ends a transaction, `=====` a session. No times; everything committed.

#include <string>
#include <string_view>

#include "checkers/transactions/transaction.h"

namespace consistory {

Result<TransactionHistory> read_transaction_text(std::string_view content,
                                                 const std::string& source);

/// Transactions on registers as Plume, PolySI and AWDIT exchange them: `r(KEY,VALUE,SESSION,
/// TRANSACTION)` and `w(…)`, a line each, numbers all; the value 0 is the initial one, and the
/// transaction -1 is one that aborted.
Result<TransactionHistory> read_plume_text(std::string_view content, const std::string& source);

}  // namespace consistory
