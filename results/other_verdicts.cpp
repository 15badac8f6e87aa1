#include "results/other_verdicts.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/escape.h"
#include "results/json_files.h"
#include "results/transaction_record.h"

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

/// Of each kind of anomaly so many are told in full.
constexpr std::size_t kShownOfAKind = 3;
constexpr std::size_t kLineMax = 400;

std::map<std::string, std::vector<const TransactionAnomaly*>> by_name(
    const std::vector<TransactionAnomaly>& anomalies) {
  std::map<std::string, std::vector<const TransactionAnomaly*>> groups;
  for (const TransactionAnomaly& anomaly : anomalies) groups[anomaly.name].push_back(&anomaly);
  return groups;
}

std::string line(std::string_view raw) { return shorten(escape_terminal(raw), kLineMax); }

/// The witness of the weakest level that is violated.
std::string witness_text(const TransactionJudgement& judgement) {
  for (auto level = judgement.levels.rbegin(); level != judgement.levels.rend(); ++level) {
    if (level->verdict != Verdict::violated || !level->witness) continue;
    const TransactionWitness& witness = *level->witness;
    std::string text = fmt::format("\n{} forbids these {} transactions by themselves:\n",
                                   info_of(level->level).name, witness.history.transactions.size());
    for (TransactionId id = 0; id < witness.history.transactions.size(); ++id)
      text += fmt::format("  {}  (T{} of the history)\n", line(describe(witness.history, id)),
                          witness.original[id]);
    for (const TransactionAnomaly& anomaly : witness.anomalies)
      text += fmt::format("  - {}: {}\n", line(anomaly.name), line(anomaly.text));
    return text + "  " + witness_remark(witness) + "\n";
  }
  return {};
}

/// Each anomaly once, at the weakest level that it violates.
std::string anomalies_text(const TransactionHistory& history,
                           const TransactionJudgement& judgement) {
  std::string text;
  for (auto level = judgement.levels.rbegin(); level != judgement.levels.rend(); ++level) {
    if (level->verdict != Verdict::violated) continue;
    for (const auto& [name, group] : by_name(level->anomalies)) {
      text += fmt::format("\n{} ({}), which {} forbids:\n", line(name), group.size(),
                          info_of(level->level).name);
      for (std::size_t i = 0; i < group.size() && i < kShownOfAKind; ++i) {
        text += "  " + line(group[i]->text) + "\n";
        for (const TransactionId id : group[i]->transactions)
          text += "    " + line(describe(history, id)) + "\n";
      }
    }
    break;
  }
  return text;
}

Json witness_json(const LevelVerdict& level) {
  if (!level.witness) return {};
  const TransactionWitness& witness = *level.witness;
  Json transactions = Json::array();
  for (TransactionId id = 0; id < witness.history.transactions.size(); ++id)
    transactions.push_back(
        {{"transaction", witness.original[id]}, {"text", describe(witness.history, id)}});
  Json reasons = Json::array();
  for (const TransactionAnomaly& anomaly : witness.anomalies)
    reasons.push_back({{"anomaly", anomaly.name}, {"text", anomaly.text}});
  return {{"transactions", transactions},
          {"reasons", reasons},
          {"minimal", witness.minimal},
          {"rechecked", witness.recheck == OracleAnswer::violated}};
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json levels_json(const TransactionHistory& history, const TransactionJudgement& judgement) {
  Json levels = Json::array();
  for (const LevelVerdict& level : judgement.levels) {
    Json anomalies = Json::object();
    for (const auto& [name, group] : by_name(level.anomalies)) {
      Json shown = Json::array();
      for (std::size_t i = 0; i < group.size() && i < kShownOfAKind; ++i) {
        Json transactions = Json::array();
        for (const TransactionId id : group[i]->transactions)
          transactions.push_back(describe(history, id));
        shown.push_back({{"text", group[i]->text}, {"transactions", transactions}});
      }
      anomalies[name] = {{"count", group.size()}, {"shown", shown}};
    }
    levels.push_back({{"level", info_of(level.level).name},
                      {"state", name_of(level.verdict)},
                      {"why", level.why},
                      {"anomalies", anomalies},
                      {"witness", witness_json(level)}});
  }
  return levels;
}

}  // namespace

std::string witness_remark(const TransactionWitness& witness) {
  std::string text = witness.minimal ? "minimal: nothing of it can be left out"
                                     : "the search for a smaller one used up its budget";
  if (witness.recheck == OracleAnswer::violated) return text + "; brute force confirms it";
  return text + "; too many transactions to confirm by brute force";
}

std::string transactions_text(const TransactionHistory& history,
                              const TransactionJudgement& judgement) {
  std::string text =
      fmt::format("{} transactions of {} sessions on {} keys\n", history.transactions.size(),
                  history.sessions.size(), history.keys.size());
  for (const LevelVerdict& level : judgement.levels) {
    text += fmt::format("{:<14} {}\n", name_of(level.verdict), info_of(level.level).name);
    if (!level.why.empty()) text += "               " + line(level.why) + "\n";
  }
  return text + witness_text(judgement) + anomalies_text(history, judgement);
}

std::string transactions_json(const std::string& source, const TransactionHistory& history,
                              const TransactionJudgement& judgement) {
  return dumped({{"schema", "consistory.transactions/1"},
                 {"source", source},
                 {"transactions", history.transactions.size()},
                 {"sessions", history.sessions.size()},
                 {"keys", history.keys.size()},
                 {"levels", levels_json(history, judgement)}});
}

namespace {

Json faults_json(const RunRecord& run) {
  Json faults = Json::array();
  std::istringstream lines(faults_jsonl(run));
  for (std::string line_of_one; std::getline(lines, line_of_one);)
    faults.push_back(Json::parse(line_of_one));
  return faults;
}

}  // namespace

std::string transaction_run_json(const TransactionRecord& record) {
  const RunRecord& run = record.run;
  return dumped({{"schema", "consistory.transactions/1"},
                 {"source", run.id},
                 {"status", run.status},
                 {"overall", name_of(run.overall.word)},
                 {"exit", run.overall.exit_code},
                 {"sentence", run.overall.sentence},
                 {"store", run.store},
                 {"seed", run.seed},
                 {"required", run.promised},
                 {"expected_violations", run.expected_violations},
                 {"ok", record.counts.ok},
                 {"fail", record.counts.fail},
                 {"info", record.counts.info},
                 {"transactions", record.history.transactions.size()},
                 {"sessions", record.history.sessions.size()},
                 {"keys", record.history.keys.size()},
                 {"levels", levels_json(record.history, record.judgement)},
                 {"faults", faults_json(run)}});
}

std::string objects_text(const ObjectHistory& history, const ObjectVerdict& verdict) {
  std::string text = fmt::format("{} calls of a {}\n{:<14} linearizable\n", history.calls.size(),
                                 name_of(history.kind), name_of(verdict.verdict));
  if (!verdict.why.empty()) text += "               " + line(verdict.why) + "\n";
  if (verdict.witness.empty()) return text;
  text += "\nno order explains the calls up to here, those that completed later left open:\n";
  constexpr std::size_t kCallsShown = 20;
  const std::size_t hidden =
      verdict.witness.size() > kCallsShown ? verdict.witness.size() - kCallsShown : 0;
  if (hidden > 0) text += fmt::format("  ({} earlier calls)\n", hidden);
  for (std::size_t i = hidden; i < verdict.witness.size(); ++i)
    text += "  " + line(describe(history.calls[verdict.witness[i]])) + "\n";
  return text;
}

std::string objects_json(const std::string& source, const ObjectHistory& history,
                         const ObjectVerdict& verdict) {
  Json witness = Json::array();
  for (const std::size_t place : verdict.witness) witness.push_back(describe(history.calls[place]));
  return dumped({{"schema", "consistory.objects/1"},
                 {"source", source},
                 {"object", name_of(history.kind)},
                 {"calls", history.calls.size()},
                 {"linearizable", name_of(verdict.verdict)},
                 {"why", verdict.why},
                 {"witness", witness}});
}

}  // namespace consistory
