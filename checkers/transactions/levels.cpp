#include "checkers/transactions/levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "base/limits.h"
#include "checkers/transactions/commit_order.h"
#include "checkers/transactions/parallel_snapshot.h"
#include "checkers/transactions/weak_levels.h"

namespace consistory {
namespace {

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

  /// A look at the strongest, which in most histories holds and brings all others along; then
  /// weakest first, since what violates a level violates all stronger ones.
  TransactionJudgement run() {
    const std::span<const LevelInfo> levels = all_levels();
    std::vector<LevelVerdict> verdicts(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
      verdicts[i].level = levels[i].level;
      by_level_[levels[i].level] = &verdicts[i];
    }
    const std::set<Level> needed = needed_levels();
    look_at_strongest(needed);
    for (std::size_t i = levels.size(); i-- > 0;) {
      const bool open = verdicts[i].verdict == Verdict::inconclusive;
      if (open && needed.contains(levels[i].level)) judge(levels[i], verdicts[i]);
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

  void look_at_strongest(const std::set<Level>& needed) {
    std::set<Level> implied;
    for (const LevelInfo& info : all_levels()) {  // strongest first
      if (!needed.contains(info.level)) continue;
      const std::optional<CommitRules> rules = rules_of(info.level);
      const bool strongest = !implied.contains(info.level);
      if (strongest && rules && is_evident(*rules)) settle_with_implied(info.level);
      implied.insert(info.implies.begin(), info.implies.end());
    }
  }

  bool is_evident(const CommitRules& rules) const {
    try {
      check_time();
      return dependencies_.anomalies().empty() && commit_order_is_evident(dependencies_, rules);
    } catch (const std::exception&) {  // out of time or memory: the judging itself says so
      return false;
    }
  }

  void settle_with_implied(Level level) {
    settle(*by_level_.at(level), Verdict::holds);
    for (const Level weaker : info_of(level).implies) settle_with_implied(weaker);
  }

  /// Of the levels that are about one order of all commits.
  static std::optional<CommitRules> rules_of(Level level) {
    switch (level) {
      case Level::prefix:
        return CommitRules{.split = true};
      case Level::snapshot:
        return CommitRules{.split = true, .conflicts = true};
      case Level::strong_snapshot:
        return CommitRules{.split = true, .conflicts = true, .real_time = true};
      case Level::serializable:
        return CommitRules{};
      case Level::strict_serializable:
        return CommitRules{.real_time = true};
      default:
        return std::nullopt;
    }
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
      default:
        return take(decide_commit_order(dependencies_, *rules_of(level), options_.steps), verdict);
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
