#include "harness/cli/check_imported.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/limits.h"
#include "checkers/history/input.h"
#include "checkers/transactions/witness.h"
#include "harness/cli/command.h"
#include "harness/run/overall.h"
#include "results/other_verdicts.h"
#include "results/run_directory.h"

namespace consistory {
namespace {

constexpr std::size_t kBeginning = 4096;

int exit_code_of(Verdict verdict) {
  if (verdict == Verdict::violated) return 1;
  return verdict == Verdict::inconclusive ? 2 : 0;
}

}  // namespace

Result<std::optional<ImportFormat>> format_of(const std::string& path,
                                              const CheckImported& options) {
  if (options.format || path == "-") return options.format;
  const Result<std::unique_ptr<ByteSource>> input = open_input(path);
  if (!input) return input.error();
  std::string beginning(kBeginning, '\0');
  const Result<std::size_t> size = (*input)->read(beginning.data(), beginning.size());
  if (!size) return size.error();
  return foreign_format(path, std::string_view(beginning).substr(0, *size));
}

int check_imported(const std::string& path, const TransactionHistory& history,
                   const CheckImported& options) {
  TransactionOptions judging;
  judging.steps = options.steps;
  for (const std::string& name : options.models) {
    const Result<const LevelInfo*> level = find_level(name);
    if (!level) return fail(level.error());
    judging.levels.push_back((*level)->level);
  }
  const TimeLimit limit(options.timeout_ns > 0 ? options.timeout_ns : TimeLimit::kNone);
  TransactionJudgement judgement = judge_transactions(history, judging);
  attach_witnesses(history, judgement);
  if (!options.report.empty()) {
    const Status written = write_file(options.report, transactions_html(path, history, judgement));
    if (!written) return fail(written.error());
  }
  const std::string text = options.json ? transactions_json(path, history, judgement)
                                        : transactions_text(history, judgement);
  std::fputs(text.c_str(), stdout);
  int code = 0;
  for (const LevelVerdict& level : judgement.levels) {
    // What cannot be checked counts if somebody asked for it by name.
    const bool unchecked = level.verdict == Verdict::not_checked && !options.models.empty();
    code = worse_exit_code(code, unchecked ? 2 : exit_code_of(level.verdict));
  }
  return code;
}

int check_imported(const std::string& path, const ObjectHistory& history,
                   const CheckImported& options) {
  if (!options.report.empty())
    return fail(usage_error(path + ": --report is for registers, lists and transactions"));
  const bool known = std::all_of(options.models.begin(), options.models.end(),
                                 [](const std::string& name) { return name == "linearizable"; });
  if (!known)
    return fail(usage_error(
        fmt::format("{}: a {} is judged by linearizable alone", path, name_of(history.kind))));
  ObjectVerdict verdict;
  try {
    const TimeLimit limit(options.timeout_ns > 0 ? options.timeout_ns : TimeLimit::kNone);
    verdict = judge_objects(history, options.steps);
  } catch (const OutOfTime&) {
    verdict.why = "the time limit (--check-timeout) ended the search; not reproducible";
  } catch (const std::bad_alloc&) {
    verdict.why = "it does not fit into memory (--check-memory); not reproducible";
  }
  const std::string text =
      options.json ? objects_json(path, history, verdict) : objects_text(history, verdict);
  std::fputs(text.c_str(), stdout);
  return exit_code_of(verdict.verdict);
}

}  // namespace consistory
