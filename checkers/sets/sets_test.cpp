// Sets and counters: what the checkers say of random small histories against what follows from the
// definitions. A set behaves like a list whose order nobody sees: the history satisfies a model if
// and only if, for some order of the elements, the history of lists does.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "checkers/history/text.h"
#include "checkers/judge.h"
#include "checkers/testing/random_history.h"

namespace consistory {
namespace {

/// A few sessions that add to and read sets; reads see some of what was added so far, or will be.
std::string random_sets(Random& random, bool counters) {
  const std::size_t sessions = 2 + random.below(2), keys = 1 + random.below(2);
  const std::size_t size = 3 + random.below(4);
  const double sees = 0.5 + random.unit() / 2;
  std::vector<std::vector<std::int64_t>> added(keys);
  std::vector<std::string> statements;
  std::int64_t time = 0;
  std::vector<std::int64_t> next(keys, 1);
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t session = random.below(sessions), key = random.below(keys);
    const std::string who = std::string(1, static_cast<char>('A' + session));
    if (random.chance(0.1)) time -= std::min<std::int64_t>(time, 2);  // at one stamp with the last
    const std::int64_t from = time;
    time += 2;
    if (random.chance(0.5) && added[key].size() < 3) {
      const bool unknown = random.chance(0.15), failed = random.chance(0.1);
      std::int64_t& element = next[counters ? key : 0];
      statements.push_back(who + (counters ? " increment k" : " add k") + std::to_string(key) +
                           " " + std::to_string(element) +
                           (unknown  ? " ?"
                            : failed ? " !"
                                     : "") +
                           " [" + std::to_string(from) + "," + std::to_string(time) + "]");
      if (unknown || !failed || random.chance(0.2)) added[key].push_back(element);
      element = counters ? element * 4 : element + 1;
      continue;
    }
    std::string seen;
    std::int64_t sum = 0;
    std::vector<std::int64_t> there = added[key];
    if (random.chance(0.05)) there.push_back(next[counters ? key : 0]);  // not yet
    for (const std::int64_t element : there) {
      if (!random.chance(sees)) continue;
      seen += (seen.empty() ? "" : " ") + std::to_string(element);
      sum += element;
    }
    statements.push_back(who + " read k" + std::to_string(key) + " -> " +
                         (counters ? std::to_string(sum) : "[" + seen + "]") + " [" +
                         std::to_string(from) + "," + std::to_string(time) + "]");
    if (random.chance(0.2)) time -= 1;  // the next one of another session may overlap
  }
  std::string text;
  for (const std::string& statement : statements) text += statement + "; ";
  return text;
}

/// Every way to order the elements of every key, one after the other.
class ListOrders {
 public:
  explicit ListOrders(const History& history) : history_(history) {
    for (const Operation& operation : history.operations) {
      if (operation.updates()) orders_[operation.key].push_back(operation.value);
    }
    for (auto& [key, order] : orders_) std::sort(order.begin(), order.end());
  }

  template <class Holds>
  bool any(const Holds& holds) {
    for (;;) {
      if (holds(in_order())) return true;
      auto key = orders_.begin();
      while (key != orders_.end() && !std::next_permutation(key->second.begin(), key->second.end()))
        ++key;
      if (key == orders_.end()) return false;
    }
  }

 private:
  History in_order() const {
    History lists = history_;
    lists.sets = false;
    for (Operation& operation : lists.operations) {
      const auto begin = lists.elements.begin() + operation.list.begin;
      const auto known = orders_.find(operation.key);
      if (known == orders_.end()) continue;
      const auto place = [&](ValueId element) {
        return std::find(known->second.begin(), known->second.end(), element);
      };
      std::sort(begin, begin + operation.list.size,
                [&](ValueId a, ValueId b) { return place(a) < place(b); });
    }
    return lists;
  }

  const History& history_;
  std::map<KeyId, std::vector<ValueId>> orders_;
};

/// One session's operations among all updates: what its own view has to explain.
History view_of(const History& history, SessionId session) {
  std::vector<OperationId> kept;
  for (OperationId id = 0; id < history.size(); ++id) {
    const Operation& operation = history.operations[id];
    if (operation.session == session || operation.updates()) kept.push_back(id);
  }
  return subset(history, kept);
}

OracleAnswer ask_pram(const History& history) {
  for (SessionId session = 0; session < history.sessions.size(); ++session) {
    const History view = view_of(history, session);
    const bool holds = ListOrders(view).any(
        [](const History& lists) { return ask_oracle(lists, "pram") == OracleAnswer::holds; });
    if (!holds) return OracleAnswer::violated;
  }
  return OracleAnswer::holds;
}

OracleAnswer ask(const History& history, const Model& model) {
  if (model.name == "pram") return ask_pram(history);
  if (model.name == "causal") return ask(history, **find_model("causal-convergence"));
  const bool holds = ListOrders(history).any([&](const History& lists) {
    const OracleAnswer answer = model.guarantees
                                    ? ask_oracle_about_guarantees(lists, *model.guarantees)
                                    : ask_oracle(lists, model.oracle);
    return answer == OracleAnswer::holds;
  });
  return holds ? OracleAnswer::holds : OracleAnswer::violated;
}

Verdict verdict_of(const History& history, const Model& model) {
  JudgeOptions options;
  options.models = {&model};
  const Judgement judgement = judge(history, options);
  const JudgedModel& judged = judgement.models.front();
  if (judged.verdict.verdict == Verdict::violated) {
    EXPECT_TRUE(judged.witness && judged.witness->recheck == OracleAnswer::violated)
        << model.name << "\n"
        << text_of(history);
  }
  return judged.verdict.verdict;
}

TEST(Sets, AgreeWithTheDefinitions) {
  const std::uint64_t count = from_environment("CONSISTORY_COUNT", 300);
  Random random(from_environment("CONSISTORY_SEED", 7));
  const std::vector<std::string> names = {"linearizable",
                                          "sequential",
                                          "cache",
                                          "causal-convergence",
                                          "weak-causal",
                                          "pram",
                                          "causal",
                                          "monotonic-reads",
                                          "monotonic-writes",
                                          "read-your-writes",
                                          "writes-follow-reads",
                                          "monotonic-reads+monotonic-writes",
                                          "read-your-writes+writes-follow-reads"};
  std::map<std::string, std::size_t> violated;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = random_sets(random, i % 3 == 2);
    const Result<History> history = parse_history_text(text);
    if (!history || !history->sets) continue;  // overlaps in a session; nothing was added
    for (const std::string& name : names) {
      const Model& model = **find_model(name);
      const Verdict verdict = verdict_of(*history, model);
      const bool holds = ask(*history, model) == OracleAnswer::holds;
      ASSERT_EQ(verdict, holds ? Verdict::holds : Verdict::violated) << name << "\n" << text;
      violated[name] += holds ? 0 : 1;
    }
    for (const char* column : {"lin", "sc", "keysc"}) {
      const Model& model = **find_model(column == std::string("lin")  ? "linearizable"
                                        : column == std::string("sc") ? "sequential"
                                                                      : "cache");
      ASSERT_EQ(ask_oracle_about_sets(*history, column), ask(*history, model)) << column << text;
    }
  }
  for (const std::string& name : names) EXPECT_GT(violated[name], 0U) << name;
}

Verdict verdict_of(const std::string& text, const std::string& model) {
  const Result<History> history = parse_history_text(text);
  EXPECT_TRUE(history) << history.error().message;
  return verdict_of(*history, **find_model(model));
}

TEST(Sets, MayArriveInAnyOrder) {
  const std::string late = "A add s 1; B add s 2; C read s -> [2]; C read s -> [1 2]";
  EXPECT_EQ(verdict_of(late, "causal"), Verdict::holds);  // of a list, its order would say no
  EXPECT_EQ(verdict_of(late, "sequential"), Verdict::holds);
  EXPECT_EQ(verdict_of(late, "linearizable"), Verdict::violated);
}

TEST(Sets, OfSeveralKeysAreOneStore) {
  const std::string message = "A add x 1; A add y 2; B read y -> [2]; B read x -> []";
  EXPECT_EQ(verdict_of(message, "monotonic-writes"), Verdict::holds);
  EXPECT_EQ(verdict_of(message, "monotonic-reads"), Verdict::holds);
  EXPECT_EQ(verdict_of(message, "pram"), Verdict::violated);
}

TEST(Counters, TellWhichIncrementsTheyCount) {
  const std::string counted = "A increment c 1; B increment c 4; C read c -> 5; C read c -> 4";
  EXPECT_EQ(verdict_of(counted, "monotonic-reads"), Verdict::violated);
  EXPECT_EQ(verdict_of("A increment c 4; B read c -> 8", "read-values"), Verdict::violated);
  EXPECT_EQ(verdict_of("A increment c 4; B read c -> 4", "linearizable"), Verdict::holds);
}

TEST(Sets, ReachTheSameInTheEnd) {
  const std::string added =
      "nodes n1 n2; A add s 1; A add s 2; F read s -> [2 1] @n1 final local; ";
  EXPECT_EQ(verdict_of(added + "G read s -> [1 2] @n2 final local", "strong-eventual"),
            Verdict::holds);
  EXPECT_EQ(verdict_of(added + "G read s -> [1] @n2 final local", "convergence"),
            Verdict::violated);
}

TEST(Sets, StandByThemselves) {
  const auto message = [](const char* text) {
    const Result<History> history = parse_history_text(text);
    return history ? std::string("no error") : history.error().message;
  };
  EXPECT_NE(message("A add s 1; B write r 1").find("stand by themselves"), std::string::npos);
  EXPECT_NE(message("A add s 1; B increment s 4").find("a set or a counter"), std::string::npos);
  EXPECT_NE(message("A add s 1; B add s 1").find("added once"), std::string::npos);
  EXPECT_NE(message("A increment c 3").find("powers of four"), std::string::npos);
  EXPECT_NE(message("A add s 1; B read s -> 1").find("array"), std::string::npos);
  EXPECT_NE(message("A increment c 1; B read c -> [1]").find("integer"), std::string::npos);
}

}  // namespace
}  // namespace consistory
