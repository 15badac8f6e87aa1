#include "results/transaction_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/escape.h"
#include "base/suggest.h"
#include "results/other_verdicts.h"
#include "results/run_sections.h"

namespace consistory {
namespace {

constexpr std::size_t kCommittedMin = 100;  // fewer have hardly met each other

/// The level and all that it promises.
std::set<Level> with_implied(Level level) {
  std::set<Level> all = {level};
  for (const Level weaker : info_of(level).implies) all.merge(with_implied(weaker));
  return all;
}

class OverallOfTransactions {
 public:
  explicit OverallOfTransactions(const TransactionRecord& record) : record_(record) {
    for (const std::string& name : record.run.expected_violations)
      expected_.insert((*find_level(name))->level);
    for (const std::string& name : record.run.promised) promise((*find_level(name))->level);
  }

  OverallVerdict decide() {
    const bool decided = interrupted() || broken() || store_failed() || expectation_missed() ||
                         undecided() || vacuous() || expectation_met();
    if (!decided) finish(Overall::holds, 0, holds_sentence());
    return verdict_;
  }

 private:
  /// What includes a level that is expected to break is no promise in this run.
  void promise(Level level) {
    const std::set<Level> all = with_implied(level);
    const bool contradicts =
        std::any_of(all.begin(), all.end(), [&](Level one) { return expected_.contains(one); });
    if (!contradicts) required_.insert(all.begin(), all.end());
  }

  bool finish(Overall word, int exit_code, std::string sentence) {
    verdict_.word = word;
    verdict_.exit_code = exit_code;
    verdict_.sentence = std::move(sentence);
    return true;
  }

  /// Those of a verdict, strongest first.
  std::vector<std::string> among(const std::set<Level>& levels, Verdict verdict) const {
    std::vector<std::string> names;
    for (const LevelVerdict& level : record_.judgement.levels) {
      if (levels.contains(level.level) && level.verdict == verdict)
        names.emplace_back(info_of(level.level).name);
    }
    return names;
  }

  bool interrupted() {
    if (record_.run.status != "interrupted") return false;
    const auto names = among(required_, Verdict::violated);
    return finish(Overall::interrupted, 130,
                  names.empty() ? "the run was interrupted; what there was of it breaks no promise"
                                : "the run was interrupted; what there was of it violates " +
                                      join(names, ", "));
  }

  bool broken() {
    const auto names = among(required_, Verdict::violated);
    if (names.empty()) return false;
    verdict_.frontier = {names.back()};
    return finish(Overall::violated, 1,
                  fmt::format("{} is violated, and was required", names.back()));
  }

  bool store_failed() {
    return !record_.run.failure.empty() && finish(Overall::store_failed, 3, "the store failed");
  }

  bool expectation_missed() {
    const auto held = among(expected_, Verdict::holds);
    if (!held.empty())
      return finish(Overall::holds, 1,
                    fmt::format("{} was expected to be violated, and holds", join(held, ", ")));
    const auto open = among(expected_, Verdict::inconclusive);
    return !open.empty() &&
           finish(Overall::inconclusive, 2,
                  fmt::format("whether {} is violated was not decided", join(open, ", ")));
  }

  bool undecided() {
    const auto open = among(required_, Verdict::inconclusive);
    return !open.empty() &&
           finish(Overall::inconclusive, 2,
                  fmt::format("{} was required, and could not be decided", join(open, ", ")));
  }

  bool vacuous() {
    if (!expected_.empty()) return false;
    std::string missing;
    for (const FaultRecord& fault : record_.run.faults) {
      if (missing.empty() && fault.evidence.empty())
        missing = fmt::format("the fault {} left no evidence that it bit", fault.name);
    }
    if (record_.counts.ok < kCommittedMin)
      missing = fmt::format("only {} transactions were committed", record_.counts.ok);
    return !missing.empty() &&
           finish(Overall::inconclusive, 2,
                  "nothing was violated, but the run could hardly have failed: " + missing);
  }

  bool expectation_met() {
    return !expected_.empty() && finish(Overall::violated, 0,
                                        fmt::format("{} is violated, as expected",
                                                    join(record_.run.expected_violations, ", ")));
  }

  std::string holds_sentence() const {
    if (record_.run.promised.empty()) return "nothing was required";
    return "everything that was required holds: " + join(record_.run.promised, ", ");
  }

  const TransactionRecord& record_;
  std::set<Level> expected_, required_;
  OverallVerdict verdict_;
};

std::string counts_of(const TransactionRecord& record) {
  return fmt::format("{} transactions committed, {} aborted, {} of unknown outcome",
                     record.counts.ok, record.counts.fail, record.counts.info);
}

}  // namespace

OverallVerdict overall_of(const TransactionRecord& record) {
  return OverallOfTransactions(record).decide();
}

std::string transaction_run_text(const TransactionRecord& record, const std::string& report) {
  const RunRecord& run = record.run;
  std::string word(name_of(run.overall.word));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  std::size_t observed = 0;
  for (const FaultRecord& fault : run.faults) observed += fault.evidence.empty() ? 0 : 1;
  std::string text = fmt::format("{}  {}\n\n", word, escape_terminal(run.overall.sentence));
  if (!run.failure.empty()) text += "failure: " + escape_terminal(run.failure) + "\n";
  text += transactions_text(record.history, record.judgement);
  text += fmt::format("\ntested: {}, {} of {} faults observed\n", counts_of(record), observed,
                      run.faults.size());
  return text + "report: " + report + "\nrerun:  " + run.command + "\n";
}

std::string transaction_run_html(const TransactionRecord& record) {
  Html html;
  header_section(html, record.run);
  html.element("p", counts_of(record));
  transaction_sections(html, record.judgement);
  faults_section(html, record.run);
  return html_page(fmt::format("{}: {}", name_of(record.run.overall.word), record.run.store),
                   html.take());
}

}  // namespace consistory
