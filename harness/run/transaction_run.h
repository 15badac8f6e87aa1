#pragma once
// A run of transactions, judged by isolation levels: start the nodes, load under faults, heal,
// check, report.

#include "harness/run/plan.h"
#include "results/run_directory.h"
#include "results/transaction_record.h"

namespace consistory {

/// Performs the run and writes its files into `directory`. An Error means that there is no run to
/// speak of; run.json says so too.
Result<TransactionRecord> perform_transaction_run(const RunPlan& plan,
                                                  const RunDirectory& directory, bool quiet);

}  // namespace consistory
