#pragma once
// Verdicts about histories that are no registers and lists: isolation levels of transactions, and
// linearizability of other objects. As text for people and as JSON for programs (docs/RESULTS.md).

#include <string>

#include "checkers/objects/object_history.h"
#include "checkers/transactions/levels.h"

namespace consistory {

/// Whether a witness is minimal, and what brute force made of it, for people.
std::string witness_remark(const TransactionWitness& witness);

std::string transactions_text(const TransactionHistory& history,
                              const TransactionJudgement& judgement);
/// consistory.transactions/1
std::string transactions_json(const std::string& source, const TransactionHistory& history,
                              const TransactionJudgement& judgement);

class Html;
/// The levels, and of each violated one the witness.
void transaction_sections(Html& html, const TransactionJudgement& judgement);

/// One offline page: the levels, and of each violated one the witness, drawn and explained.
std::string transactions_html(const std::string& source, const TransactionHistory& history,
                              const TransactionJudgement& judgement);

std::string objects_text(const ObjectHistory& history, const ObjectVerdict& verdict);
/// consistory.objects/1
std::string objects_json(const std::string& source, const ObjectHistory& history,
                         const ObjectVerdict& verdict);

}  // namespace consistory
