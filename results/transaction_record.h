#pragma once
// Everything that is known of one run of transactions, and its overall verdict.

#include <string>

#include "checkers/transactions/levels.h"
#include "results/run_record.h"

namespace consistory {

struct TransactionRecord {
  RunRecord run;  ///< what every run has; its history is empty, its `promised` names levels
  Counts counts;
  TransactionHistory history;
  TransactionJudgement judgement;
};

/// From the verdicts on what was promised and expected, and whether the run could have failed.
OverallVerdict overall_of(const TransactionRecord& record);

std::string transaction_run_text(const TransactionRecord& record, const std::string& report);
/// consistory.transactions/1, with the run's own.
std::string transaction_run_json(const TransactionRecord& record);
std::string transaction_run_html(const TransactionRecord& record);

}  // namespace consistory
