#include "checkers/transactions/witness.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/hash.h"
#include "checkers/transactions/oracle.h"

namespace consistory {
namespace {

/// Where no anomaly names its transactions, the search starts from all, if they are no more.
constexpr std::size_t kStartMax = 400;
/// Bounds the work on one witness: transactions judged in all tries together.
constexpr std::size_t kJudgedMax = 200'000;
constexpr std::uint64_t kStepsPerTry = 200'000;

/// Which step wrote which value of which key.
class Writers {
 public:
  struct Place {
    TransactionId transaction = 0;
    std::uint32_t step = 0;
  };

  explicit Writers(const TransactionHistory& history) {
    for (TransactionId id = 0; id < history.transactions.size(); ++id) {
      const auto steps = history.steps_of(id);
      for (std::uint32_t i = 0; i < steps.size(); ++i) {
        if (steps[i].access == Access::read) continue;
        const bool first =
            places_.try_emplace(code(steps[i].key, steps[i].value), Place{id, i}).second;
        twice_ = twice_ || !first;
      }
    }
  }

  /// Did two steps write one value of a key?
  bool twice() const { return twice_; }

  const Place* find(KeyId key, ValueId value) const {
    const auto found = places_.find(code(key, value));
    return found == places_.end() ? nullptr : &found->second;
  }

 private:
  static std::uint64_t code(KeyId key, ValueId value) { return std::uint64_t{key} << 32 | value; }

  tsl::robin_map<std::uint64_t, Place, MixHash> places_;
  bool twice_ = false;
};

/// Per list, the transaction that read most of it: it shows the order.
std::vector<TransactionId> longest_readers(const TransactionHistory& history) {
  std::vector<TransactionId> reader(history.keys.size(), UINT32_MAX);
  std::vector<std::uint32_t> length(history.keys.size(), 0);
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    if (history.transactions[id].outcome != Outcome::ok) continue;
    for (const Step& step : history.steps_of(id)) {
      if (step.access != Access::read || step.list.size <= length[step.key]) continue;
      length[step.key] = step.list.size;
      reader[step.key] = id;
    }
  }
  return reader;
}

/// Some steps of some transactions.
struct Selection {
  struct Part {
    TransactionId transaction = 0;
    std::vector<bool> steps;
  };
  std::vector<Part> parts;  // ascending

  const Part* find(TransactionId id) const {
    const auto at = std::lower_bound(
        parts.begin(), parts.end(), id,
        [](const Part& part, TransactionId wanted) { return part.transaction < wanted; });
    return at != parts.end() && at->transaction == id ? &*at : nullptr;
  }
};

class Search {
 public:
  Search(const TransactionHistory& history, const Writers& writers,
         const std::vector<TransactionId>& longest, Level level)
      : history_(history), writers_(writers), longest_(longest) {
    options_.levels = {level};
    options_.steps = kStepsPerTry;
  }

  std::optional<TransactionWitness> run(const std::vector<TransactionAnomaly>& anomalies) {
    Selection kept = start(anomalies);
    if (kept.parts.empty() || !violates(kept)) return std::nullopt;
    while (drop_transactions(kept) || drop_steps(kept)) continue;
    return finish(kept);
  }

 private:
  bool spent() const { return judged_ > kJudgedMax; }

  /// The transactions of the anomaly that names fewest; if they do not suffice, what they read
  /// from, and who shows the order of their lists, as well; else all.
  Selection start(const std::vector<TransactionAnomaly>& anomalies) {
    const TransactionAnomaly* least = nullptr;
    for (const TransactionAnomaly& anomaly : anomalies) {
      if (anomaly.transactions.empty()) continue;
      const bool fewer =
          least == nullptr || anomaly.transactions.size() < least->transactions.size();
      if (fewer) least = &anomaly;
    }
    if (least != nullptr) {
      std::vector<TransactionId> ids = least->transactions;
      for (int rounds = 0; rounds < 3; ++rounds) {
        Selection selection = of(ids);
        if (violates(selection)) return selection;
        ids = with_sources(ids);
      }
    }
    if (history_.transactions.size() > kStartMax) return {};
    std::vector<TransactionId> all(history_.transactions.size());
    std::iota(all.begin(), all.end(), 0U);
    return of(all);
  }

  Selection of(std::vector<TransactionId> ids) const {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    Selection selection;
    for (const TransactionId id : ids)
      selection.parts.push_back({id, std::vector<bool>(history_.steps_of(id).size(), true)});
    return selection;
  }

  std::vector<TransactionId> with_sources(const std::vector<TransactionId>& ids) const {
    std::vector<TransactionId> more = ids;
    const auto add = [&](KeyId key, ValueId value) {
      if (const Writers::Place* writer = writers_.find(key, value))
        more.push_back(writer->transaction);
    };
    for (const TransactionId id : ids) {
      for (const Step& step : history_.steps_of(id)) {
        if (longest_[step.key] != UINT32_MAX) more.push_back(longest_[step.key]);
        if (step.access != Access::read) continue;
        if (!history_.is_list[step.key]) add(step.key, step.value);
      }
    }
    return more;
  }

  bool keeps(const Selection& selection, KeyId key, ValueId value) const {
    const Writers::Place* writer = writers_.find(key, value);
    if (writer == nullptr) return true;  // nobody wrote it: that is what the read shows
    const Selection::Part* part = selection.find(writer->transaction);
    return part != nullptr && part->steps[writer->step];
  }

  void add_step(const Selection& selection, const Step& step, TransactionBuilder& builder) const {
    const std::string& key = history_.keys[step.key];
    const Value value = history_.values[step.value];
    if (step.access == Access::write) return builder.write(key, value);
    if (step.access == Access::append) return builder.append(key, value);
    if (!history_.is_list[step.key]) {
      if (step.value == kNil || keeps(selection, step.key, step.value)) builder.read(key, value);
      return;
    }
    std::vector<Value> elements;
    for (const ValueId element : history_.elements_of(step)) {
      if (keeps(selection, step.key, element)) elements.push_back(history_.values[element]);
    }
    builder.read_list(key, elements);
  }

  TransactionHistory build(const Selection& selection) const {
    TransactionBuilder builder;
    for (const Selection::Part& part : selection.parts) {
      const Transaction& transaction = history_.transactions[part.transaction];
      builder.begin(history_.sessions[transaction.session], transaction.outcome, transaction.invoke,
                    transaction.complete);
      const auto steps = history_.steps_of(part.transaction);
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (part.steps[i]) add_step(selection, steps[i], builder);
      }
    }
    Result<TransactionHistory> built = std::move(builder).finish("witness");
    CONSISTORY_CHECK(built, "a part of a history that cannot be one");
    return std::move(*built);
  }

  bool violates(const Selection& selection) {
    judged_ += selection.parts.size() + 1;
    const TransactionJudgement judgement = judge_transactions(build(selection), options_);
    return judgement.levels.front().verdict == Verdict::violated;
  }

  /// Larger pieces first; true if anything could go.
  bool drop_transactions(Selection& kept) {
    bool changed = false;
    for (std::size_t piece = std::max<std::size_t>(kept.parts.size() / 2, 1);; piece /= 2) {
      for (std::size_t first = 0; first < kept.parts.size() && !spent();) {
        Selection fewer = kept;
        const std::size_t last = std::min(first + piece, kept.parts.size());
        fewer.parts.erase(fewer.parts.begin() + static_cast<std::ptrdiff_t>(first),
                          fewer.parts.begin() + static_cast<std::ptrdiff_t>(last));
        if (violates(fewer)) {
          kept = std::move(fewer);
          changed = true;
        } else {
          first += piece;
        }
      }
      if (piece <= 1) return changed && !spent();
    }
  }

  bool drop_steps(Selection& kept) {
    bool changed = false;
    for (std::size_t i = 0; i < kept.parts.size(); ++i) {
      for (std::size_t step = 0; step < kept.parts[i].steps.size() && !spent(); ++step) {
        if (!kept.parts[i].steps[step]) continue;
        kept.parts[i].steps[step] = false;
        const bool needless = violates(kept);
        kept.parts[i].steps[step] = !needless;
        changed = changed || needless;
      }
    }
    return changed && !spent();
  }

  TransactionWitness finish(const Selection& kept) {
    TransactionWitness witness;
    witness.history = build(kept);
    for (const Selection::Part& part : kept.parts) witness.original.push_back(part.transaction);
    witness.minimal = !spent();
    witness.anomalies = judge_transactions(witness.history, options_).levels.front().anomalies;
    const bool few = witness.history.transactions.size() <= kOracleTransactionsMax;
    if (few)
      witness.recheck = oracle_allows(witness.history, options_.levels.front())
                            ? OracleAnswer::holds
                            : OracleAnswer::violated;
    return witness;
  }

  const TransactionHistory& history_;
  const Writers& writers_;
  const std::vector<TransactionId>& longest_;
  TransactionOptions options_;
  std::size_t judged_ = 0;
};

}  // namespace

void attach_witnesses(const TransactionHistory& history, TransactionJudgement& judgement) {
  const bool any =
      std::any_of(judgement.levels.begin(), judgement.levels.end(),
                  [](const LevelVerdict& level) { return level.verdict == Verdict::violated; });
  if (!any) return;
  const Writers writers(history);
  if (writers.twice()) return;
  const std::vector<TransactionId> longest = longest_readers(history);
  for (LevelVerdict& level : judgement.levels) {
    if (level.verdict != Verdict::violated) continue;
    level.witness = Search(history, writers, longest, level.level).run(level.anomalies);
    if (!level.witness || level.witness->recheck != OracleAnswer::holds) continue;
    level.verdict = Verdict::inconclusive;
    level.witness.reset();
    level.why =
        "the checker found a violation that brute force does not confirm: a bug of consistory, "
        "please report it with this history";
  }
}

}  // namespace consistory
