#pragma once
// The JSON files of a run, each with a schema that only grows (docs/RESULTS.md).

#include <string>

#include "results/run_record.h"

namespace consistory {

std::string run_json(const RunRecord& run);      ///< consistory.run/1
std::string verdict_json(const RunRecord& run);  ///< consistory.verdict/1; also what --json prints
std::string faults_jsonl(const RunRecord& run);  ///< one fault a line
/// One line of `check --batch --json`.
std::string batch_line(const std::string& id, const Judgement& judgement);

}  // namespace consistory
