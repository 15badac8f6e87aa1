#include "checkers/transactions/levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/limits.h"
#include "base/suggest.h"
#include "checkers/transactions/commit_order.h"
#include "checkers/transactions/parallel_snapshot.h"
#include "checkers/transactions/weak_levels.h"

namespace consistory {
namespace {

const std::vector<LevelInfo>& table() {
  static const std::vector<LevelInfo> kLevels = {
      {Level::strict_serializable,
       "strict-serializable",
       "strong-serializable strict-1sr",
       "All transactions take effect one after the other, each between its beginning and its end.",
       "Papadimitriou 1979; Herlihy and Wing 1990",
       {Level::serializable, Level::strong_snapshot}},
      {Level::serializable,
       "serializable",
       "strong-session-serializable repeatable-read",
       "All transactions take effect one after the other, those of a session in its order.",
       "Papadimitriou 1979; Biswas and Enea 2019",
       {Level::snapshot}},
      {Level::strong_snapshot,
       "strong-snapshot-isolation",
       "strong-si",
       "Snapshot isolation in which a transaction sees all that was committed before it began.",
       "Daudjee and Salem 2006",
       {Level::snapshot}},
      {Level::snapshot,
       "snapshot-isolation",
       "si strong-session-snapshot-isolation",
       "A transaction reads one state of the whole store, and no other writes its keys meanwhile.",
       "Berenson et al. 1995; Cerone, Bernardi and Gotsman 2015",
       {Level::parallel_snapshot, Level::prefix}},
      {Level::parallel_snapshot,
       "parallel-snapshot-isolation",
       "psi",
       "Snapshot isolation in which transactions that write nothing in common may be seen in "
       "different orders.",
       "Sovran et al. 2011; Cerone, Bernardi and Gotsman 2015",
       {Level::causal}},
      {Level::prefix,
       "prefix",
       "prefix-consistency",
       "A transaction reads the state that some first part of all commits left behind.",
       "Burckhardt et al. 2015; Biswas and Enea 2019",
       {Level::causal}},
      {Level::causal,
       "transactional-causal",
       "causal tcc causal-transactions",
       "A transaction sees what its session saw, and everything on which that depends, as a whole.",
       "Akkoorath et al. 2016; Biswas and Enea 2019",
       {Level::read_atomic}},
      {Level::read_atomic,
       "read-atomic",
       "ra",
       "A transaction sees all of another's writes or none of them.",
       "Bailis et al. 2014; Biswas and Enea 2019",
       {Level::read_committed}},
      {Level::read_committed,
       "read-committed",
       "rc",
       "A transaction reads only what was committed, and what it reads does not go back.",
       "Adya 1999; Biswas and Enea 2019",
       {Level::read_uncommitted}},
      {Level::read_uncommitted,
       "read-uncommitted",
       "ru",
       "The writes of all keys have one order.",
       "Adya 1999 (PL-1)",
       {}},
  };
  return kLevels;
}

bool has_alias(const LevelInfo& info, std::string_view name) {
  return (" " + std::string(info.aliases) + " ").find(" " + std::string(name) + " ") !=
         std::string::npos;
}

/// By the kinds of links in a cycle (Adya 1999; Alvaro and Kingsbury 2020).
std::string cycle_name(const std::vector<Link>& cycle, Level level) {
  const auto count = [&](Dependency why) {
    return std::count_if(cycle.begin(), cycle.end(),
                         [&](const Link& link) { return link.why == why; });
  };
  if (count(Dependency::must_precede) > 0) {
    if (level == Level::read_committed) return "non-monotonic-read";
    return level == Level::read_atomic ? "fractured-read" : "causality-violation";
  }
  std::string name;
  if (count(Dependency::implied) > 0) return "G2-item";  // in whatever order the writes are
  const auto anti = count(Dependency::anti);
  if (anti == 0) {
    name = count(Dependency::reads_from) > 0 ? "G1c" : "G0";
  } else if (anti == 1) {
    name = "G-single";
  } else {
    bool adjacent = cycle.back().why == Dependency::anti && cycle.front().why == Dependency::anti;
    for (std::size_t i = 1; i < cycle.size(); ++i)
      adjacent =
          adjacent || (cycle[i - 1].why == Dependency::anti && cycle[i].why == Dependency::anti);
    name = adjacent ? "G2-item" : "G-nonadjacent";
  }
  if (count(Dependency::real_time) > 0) return name + "-realtime";
  return count(Dependency::session) > 0 ? name + "-session" : name;
}

class Judge {
 public:
  Judge(const Dependencies& dependencies, const TransactionOptions& options)
      : dependencies_(dependencies), history_(dependencies.history()), options_(options) {}

  /// Weakest first: what violates a level violates all stronger ones.
  TransactionJudgement run() {
    const std::span<const LevelInfo> levels = all_levels();
    std::vector<LevelVerdict> verdicts(levels.size());
    const std::set<Level> needed = needed_levels();
    for (std::size_t i = levels.size(); i-- > 0;) {
      verdicts[i].level = levels[i].level;
      by_level_[levels[i].level] = &verdicts[i];
      if (needed.contains(levels[i].level)) judge(levels[i], verdicts[i]);
    }
    if (needed.contains(Level::parallel_snapshot)) settle_parallel_snapshot();
    spread();
    leave_real_time_unchecked();
    TransactionJudgement judgement;
    for (LevelVerdict& verdict : verdicts) {
      const auto& wanted = options_.levels;
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), verdict.level) != wanted.end())
        judgement.levels.push_back(std::move(verdict));
    }
    return judgement;
  }

 private:
  /// Those asked for, and all that are weaker; snapshot tells about parallel snapshot.
  std::set<Level> needed_levels() const {
    std::set<Level> needed(options_.levels.begin(), options_.levels.end());
    if (needed.contains(Level::parallel_snapshot)) needed.insert(Level::snapshot);
    for (const LevelInfo& info : all_levels()) {
      if (options_.levels.empty()) needed.insert(info.level);
      if (needed.contains(info.level)) needed.insert(info.implies.begin(), info.implies.end());
    }
    return needed;
  }

  void judge(const LevelInfo& info, LevelVerdict& verdict) {
    for (const Level weaker : info.implies) {
      const LevelVerdict& known = *by_level_.at(weaker);
      if (known.verdict != Verdict::violated) continue;
      verdict.verdict = Verdict::violated;
      verdict.anomalies = known.anomalies;
      return;
    }
    verdict.anomalies = read_anomalies(info.level);
    try {
      check_time();
      decide(info.level, verdict);
    } catch (const OutOfTime&) {
      verdict.why = "the time limit (--check-timeout) ended its search; not reproducible";
    } catch (const std::bad_alloc&) {
      verdict.why = "it does not fit into memory; not reproducible";
    } catch (const std::exception& failure) {
      verdict.why = failure.what();
    }
    if (!verdict.anomalies.empty()) verdict.verdict = Verdict::violated;
  }

  void decide(Level level, LevelVerdict& verdict) {
    switch (level) {
      case Level::read_uncommitted:
        return take_cycles(write_cycles(dependencies_), verdict);
      case Level::read_committed:
        return take_cycles(weak_level_cycles(dependencies_, WeakLevel::read_committed), verdict);
      case Level::read_atomic:
        return take_cycles(weak_level_cycles(dependencies_, WeakLevel::read_atomic), verdict);
      case Level::causal:
        return take_cycles(weak_level_cycles(dependencies_, WeakLevel::causal), verdict);
      case Level::parallel_snapshot:
        return;  // once snapshot is known
      case Level::prefix:
        return decide_order({.split = true}, verdict);
      case Level::snapshot:
        return decide_order({.split = true, .conflicts = true}, verdict);
      case Level::strong_snapshot:
        return decide_order({.split = true, .conflicts = true, .real_time = true}, verdict);
      case Level::serializable:
        return decide_order({}, verdict);
      case Level::strict_serializable:
        return decide_order({.real_time = true}, verdict);
    }
  }

  /// What holds makes all weaker levels hold, what is violated all stronger ones, also where their
  /// own search was left open.
  void spread() {
    for (const LevelInfo& info : all_levels()) {  // strongest first
      if (by_level_.at(info.level)->verdict != Verdict::holds) continue;
      for (const Level weaker : info.implies) settle(*by_level_.at(weaker), Verdict::holds);
    }
    const std::span<const LevelInfo> levels = all_levels();
    for (std::size_t i = levels.size(); i-- > 0;) {
      for (const Level weaker : levels[i].implies) {
        const LevelVerdict& known = *by_level_.at(weaker);
        if (known.verdict != Verdict::violated) continue;
        LevelVerdict& verdict = *by_level_.at(levels[i].level);
        if (settle(verdict, Verdict::violated)) verdict.anomalies = known.anomalies;
      }
    }
  }

  static bool settle(LevelVerdict& verdict, Verdict word) {
    if (verdict.verdict != Verdict::inconclusive) return false;
    verdict.verdict = word;
    verdict.why.clear();
    return true;
  }

  /// Without times everything is concurrent, and real time asks for nothing.
  void leave_real_time_unchecked() {
    const auto& transactions = history_.transactions;
    const bool told =
        std::none_of(transactions.begin(), transactions.end(), [](const Transaction& transaction) {
          return transaction.outcome == Outcome::ok && transaction.complete == kNever;
        });
    if (told) return;
    for (const Level level : {Level::strong_snapshot, Level::strict_serializable}) {
      LevelVerdict& verdict = *by_level_.at(level);
      if (verdict.verdict != Verdict::holds) continue;
      verdict.verdict = Verdict::not_checked;
      verdict.why = "the history tells no times";
    }
  }

  void take_cycles(std::vector<std::vector<Link>> cycles, LevelVerdict& verdict) {
    verdict.verdict = cycles.empty() ? Verdict::holds : Verdict::violated;
    for (std::vector<Link>& cycle : cycles)
      verdict.anomalies.push_back(cycle_anomaly(std::move(cycle), verdict.level));
  }

  void decide_order(const CommitRules& rules, LevelVerdict& verdict) {
    take(decide_commit_order(dependencies_, rules, options_.steps), verdict);
  }

  void take(CommitAnswer answer, LevelVerdict& verdict) {
    if (answer.answer == Answer::open) {
      verdict.why = std::move(answer.why);
      return;
    }
    take_cycles(std::move(answer.cycles), verdict);
    if (answer.answer == Answer::yes) return;
    verdict.verdict = Verdict::violated;
    if (!verdict.anomalies.empty()) return;
    verdict.anomalies.push_back({"no-commit-order",
                                 {},
                                 {},
                                 "every order of the writes was tried, and each one has a cycle",
                                 {}});
  }

  void settle_parallel_snapshot() {
    LevelVerdict& verdict = *by_level_.at(Level::parallel_snapshot);
    if (verdict.verdict == Verdict::violated) return;
    if (by_level_.at(Level::snapshot)->verdict == Verdict::holds) {
      verdict.verdict = Verdict::holds;
      return;
    }
    try {
      take(decide_parallel_snapshot(dependencies_, options_.steps), verdict);
    } catch (const std::exception&) {
      verdict.why = "its search ran out of time or memory; not reproducible";
    }
  }

  std::vector<TransactionAnomaly> read_anomalies(Level level) const {
    std::vector<TransactionAnomaly> found;
    for (const ReadAnomalyFound& anomaly : dependencies_.anomalies()) {
      const bool of_order = anomaly.anomaly == ReadAnomaly::incompatible_order ||
                            anomaly.anomaly == ReadAnomaly::repeated_element ||
                            anomaly.anomaly == ReadAnomaly::thin_air;
      if (level == Level::read_uncommitted && !of_order) continue;
      std::vector<TransactionId> transactions = {anomaly.reader};
      if (anomaly.other != anomaly.reader) transactions.push_back(anomaly.other);
      found.push_back(
          {std::string(name_of(anomaly.anomaly)), {}, transactions, words(anomaly), {}});
    }
    return found;
  }

  std::string words(const ReadAnomalyFound& anomaly) const {
    const std::string& key = history_.keys[anomaly.key];
    switch (anomaly.anomaly) {
      case ReadAnomaly::thin_air:
        return fmt::format("T{} read of {} what nobody wrote", anomaly.reader, key);
      case ReadAnomaly::aborted_read:
        return fmt::format("T{} read of {} what T{} wrote, which was aborted", anomaly.reader, key,
                           anomaly.other);
      case ReadAnomaly::intermediate_read:
        return fmt::format("T{} read of {} what T{} overwrote itself before it committed",
                           anomaly.reader, key, anomaly.other);
      case ReadAnomaly::internal:
        return fmt::format("T{} read of {} something else than it had written itself",
                           anomaly.reader, key);
      case ReadAnomaly::incompatible_order:
        return fmt::format(
            "T{} and T{} read lists of {} of which none is the beginning of the other",
            anomaly.reader, anomaly.other, key);
      case ReadAnomaly::repeated_element:
        return fmt::format("T{} read a list of {} that shows an element twice", anomaly.reader,
                           key);
    }
    return {};
  }

  TransactionAnomaly cycle_anomaly(std::vector<Link> cycle, Level level) const {
    TransactionAnomaly anomaly;
    anomaly.name = cycle_name(cycle, level);
    std::set<TransactionId> transactions;
    for (const Link& link : cycle) {
      anomaly.text += (anomaly.text.empty() ? "" : "; ") + words(link);
      anomaly.arrows.push_back({transaction(link.from), transaction(link.to), label(link)});
      for (const TNode node : {link.from, link.to, link.because}) {
        if (node != kInitialNode) transactions.insert(dependencies_.transaction(node));
      }
    }
    anomaly.transactions.assign(transactions.begin(), transactions.end());
    anomaly.cycle = std::move(cycle);
    return anomaly;
  }

  std::string name(TNode node) const {
    return node == kInitialNode ? "the initial state"
                                : fmt::format("T{}", dependencies_.transaction(node));
  }

  std::optional<TransactionId> transaction(TNode node) const {
    if (node == kInitialNode) return std::nullopt;
    return dependencies_.transaction(node);
  }

  /// As the literature labels the edges of a serialisation graph (Adya 1999).
  std::string label(const Link& link) const {
    const std::string key = link.key < history_.keys.size() ? " " + history_.keys[link.key] : "";
    switch (link.why) {
      case Dependency::session:
        return "session";
      case Dependency::real_time:
        return "real time";
      case Dependency::reads_from:
        return "wr" + key;
      case Dependency::overwrites:
      case Dependency::implied:
        return "ww" + key;
      case Dependency::anti:
        return "rw" + key;
      case Dependency::must_precede:
        return "must precede" + key;
      case Dependency::own:
        break;
    }
    return "";
  }

  std::string words(const Link& link) const {
    const std::string from = name(link.from);
    const std::string to = name(link.to);
    const std::string key = link.key < history_.keys.size() ? history_.keys[link.key] : "";
    switch (link.why) {
      case Dependency::session:
        return fmt::format("{} precedes {} in its session", from, to);
      case Dependency::real_time:
        return fmt::format("{} completed before {} was invoked", from, to);
      case Dependency::reads_from:
        return fmt::format("{} read of {} what {} wrote", to, key, from);
      case Dependency::overwrites:
        return fmt::format("{} wrote {} before {}", from, key, to);
      case Dependency::anti:
        return fmt::format("{} read of {} what {} overwrote", from, key, to);
      case Dependency::implied:
        return fmt::format("{} must have written {} before {}", from, key, to);
      case Dependency::must_precede:
        return fmt::format("{} must commit before {}, since {} sees it and read {}'s value of {}",
                           from, to, name(link.because), to, key);
      case Dependency::own:
        break;
    }
    return fmt::format("{} precedes {}", from, to);
  }

  const Dependencies& dependencies_;
  const TransactionHistory& history_;
  const TransactionOptions& options_;
  std::map<Level, LevelVerdict*> by_level_;
};

}  // namespace

std::span<const LevelInfo> all_levels() { return table(); }

const LevelInfo& info_of(Level level) {
  return *std::find_if(table().begin(), table().end(),
                       [&](const LevelInfo& info) { return info.level == level; });
}

Result<const LevelInfo*> find_level(std::string_view name) {
  std::vector<std::string> names;
  for (const LevelInfo& info : table()) {
    if (info.name == name || has_alias(info, name)) return &info;
    names.emplace_back(info.name);
  }
  return usage_error(unknown_name("isolation level", name, names));
}

TransactionJudgement judge_transactions(const TransactionHistory& history,
                                        const TransactionOptions& options) {
  std::string why;
  const std::optional<Dependencies> dependencies = Dependencies::of(history, why);
  if (dependencies) return Judge(*dependencies, options).run();
  TransactionJudgement judgement;
  for (const LevelInfo& info : all_levels()) {
    const auto& wanted = options.levels;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), info.level) != wanted.end())
      judgement.levels.push_back({info.level, Verdict::inconclusive, why, {}, {}});
  }
  return judgement;
}

}  // namespace consistory
