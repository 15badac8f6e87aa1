// The streaming checkers against the offline ones, and their memory.
#include <gtest/gtest.h>

#include <cstdio>

#include "checkers/history/recording.h"
#include "checkers/judge.h"
#include "checkers/models/guarantees.h"
#include "checkers/models/registry.h"
#include "checkers/streaming/incremental_order.h"
#include "checkers/streaming/streaming_checker.h"
#include "checkers/testing/random_history.h"
#include "checkers/testing/store_simulation.h"

namespace consistory {
namespace {

/// A history's operations, told as a run would tell them.
class Replay {
 public:
  explicit Replay(const History& history) : Replay(history, history.sessions.size()) {}
  Replay(const History& history, std::size_t announced)
      : history_(history), checker_(announced, replicas(history)), lost_(history.sessions.size()) {
    for (OperationId id = 0; id < history.size(); ++id) {
      const Operation& operation = history.operations[id];
      events_.push_back({operation.invoke, false, id});
      if (!operation.is_info()) events_.push_back({operation.complete, true, id});
    }
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return std::pair(a.stamp, a.completion) < std::pair(b.stamp, b.completion);
    });
  }

  const StreamingChecker& run() {
    for (const Event& event : events_) {
      const Operation& operation = history_.operations[event.id];
      if (event.completion) {
        checker_.complete(told(operation));
      } else {
        give_up(operation.session);  // its client goes on
        if (operation.function != Function::read) checker_.begin(told(operation));
        if (operation.is_info()) lost_[operation.session].push_back(event.id);
      }
      most_ = std::max(most_, checker_.remembered());
    }
    for (SessionId session = 0; session < lost_.size(); ++session) give_up(session);
    checker_.finish();
    return checker_;
  }

  std::size_t most_remembered() const { return most_; }

 private:
  struct Event {
    std::int64_t stamp = 0;
    bool completion = false;
    OperationId id = 0;
  };

  static std::size_t replicas(const History& history) {
    return history.replica_count > 0 ? history.replica_count : history.nodes.size();
  }

  void give_up(SessionId session) {
    for (const OperationId id : lost_[session]) checker_.complete(told(history_.operations[id]));
    lost_[session].clear();
  }

  StreamOperation told(const Operation& operation) const {
    StreamOperation stream;
    stream.session = operation.session;
    stream.key = operation.key;
    stream.node = operation.node;
    stream.function = operation.function;
    stream.outcome = operation.outcome;
    if (operation.value != kNil) stream.value = operation.value;
    if (operation.has_version()) stream.version = operation.version;
    stream.final = operation.final;
    return stream;
  }

  const History& history_;
  StreamingChecker checker_;
  std::vector<std::vector<OperationId>> lost_;
  std::vector<Event> events_;
  std::size_t most_ = 0;
};

Verdict offline(const History& history, StreamingModel model) {
  JudgeOptions options;
  options.models = {*find_model(name_of(model))};
  options.witnesses = options.split_sessions = false;
  return judge(history, options).models.front().verdict.verdict;
}

/// Where the stream decides, it decides as the offline checker does; and mostly it decides.
void compare(const History& history, StreamingModel model, const StreamingChecker& checker,
             std::size_t& decided, std::size_t& violated) {
  const StreamingVerdict& verdict = checker.verdict(model);
  if (verdict.verdict == Verdict::inconclusive) return;
  ++decided;
  violated += verdict.verdict == Verdict::violated ? 1 : 0;
  EXPECT_EQ(verdict.verdict, offline(history, model))
      << name_of(model) << ": " << verdict.why << "\n"
      << text_of(history);
}

TEST(Streaming, AgreesWithTheOfflineCheckers) {
  Random random(from_environment("CONSISTORY_SEED", 79));
  const int kHistories = static_cast<int>(from_environment("CONSISTORY_COUNT", 6'000));
  std::size_t causal = 0, causal_violated = 0, final = 0, final_violated = 0;
  std::size_t pram = 0, pram_violated = 0;
  for (int i = 0; i < kHistories; ++i) {
    HistoryShape shape = random_shape(random, 14);
    shape.lists = shape.cas = shape.duplicates = shape.versions = 0;
    const History history = random_history(random, shape);
    Replay replay(history);
    const StreamingChecker& checker = replay.run();
    compare(history, StreamingModel::weak_causal, checker, causal, causal_violated);
    compare(history, StreamingModel::pram, checker, pram, pram_violated);
    compare(history, StreamingModel::convergence, checker, final, final_violated);
  }
  EXPECT_GT(pram, kHistories * 6 / 10);
  EXPECT_GT(pram_violated, 300U);
  EXPECT_GT(causal, kHistories * 6 / 10);
  EXPECT_GT(causal_violated, 300U);
  EXPECT_GT(final, kHistories * 6 / 10);
  EXPECT_GT(final_violated, 50U);
}

TEST(IncrementalOrder, FindsTheEdgeThatClosesACircle) {
  Random random(from_environment("CONSISTORY_SEED", 3));
  std::size_t circles = 0;
  for (int i = 0; i < 2'000; ++i) {
    IncrementalOrder order;
    constexpr std::size_t kNodes = 7;
    bool reaches[kNodes][kNodes] = {};
    for (std::size_t node = 0; node < kNodes; ++node) EXPECT_EQ(order.add(), node);
    for (bool whole = true; whole;) {
      const std::size_t a = random.below(kNodes), b = random.below(kNodes);
      whole = order.add_edge(a, b);
      EXPECT_EQ(whole, a != b && !reaches[b][a]);
      circles += whole ? 0 : 1;
      for (std::size_t from = 0; from < kNodes; ++from) {
        for (std::size_t to = 0; to < kNodes; ++to) {
          const bool by_it = (from == a || reaches[from][a]) && (to == b || reaches[b][to]);
          reaches[from][to] = reaches[from][to] || by_it;
        }
      }
    }
  }
  EXPECT_EQ(circles, 2'000U);
}

/// Two values of a key exchange their versions, in the updates and in who read them.
void exchange_versions(Random& random, History& history) {
  const OperationId a = static_cast<OperationId>(random.below(history.size()));
  const OperationId b = static_cast<OperationId>(random.below(history.size()));
  const Operation one = history.operations[a], other = history.operations[b];
  if (!one.updates() || !other.updates() || one.key != other.key) return;
  for (Operation& operation : history.operations) {
    if (operation.key != one.key || !operation.has_version()) continue;
    if (operation.value == one.value) operation.version = other.version;
    else if (operation.value == other.value) operation.version = one.version;
  }
}

TEST(Streaming, VersionsDecideTheSessionGuarantees) {
  Random random(from_environment("CONSISTORY_SEED", 5));
  std::array<std::size_t, kStreamingModels> decided{}, violated{};
  const auto histories = from_environment("CONSISTORY_COUNT", 6'000);
  for (std::uint64_t i = 0; i < histories; ++i) {
    HistoryShape shape = random_shape(random, 12);
    shape.lists = shape.cas = shape.duplicates = shape.info = 0;
    shape.versions = 1;
    History history = random_history(random, shape);
    for (int swaps = 0; swaps < 5; ++swaps) exchange_versions(random, history);
    Budget budget(1'000'000);
    // What nobody wrote, and what its own session wrote later, the stream leaves to weak causal.
    if (judge_guarantees(history, budget, 0).verdict != Verdict::holds) continue;
    Replay replay(history);
    const StreamingChecker& checker = replay.run();
    if (checker.verdict(StreamingModel::weak_causal).verdict == Verdict::inconclusive) continue;
    if ((*find_model("read-values"))->judge(history, budget).verdict != Verdict::holds) continue;
    for (const StreamingModel model :
         {StreamingModel::monotonic_reads, StreamingModel::read_your_writes,
          StreamingModel::monotonic_writes, StreamingModel::writes_follow_reads}) {
      const auto number = static_cast<std::size_t>(model);
      compare(history, model, checker, decided[number], violated[number]);
    }
  }
  for (const StreamingModel model :
       {StreamingModel::monotonic_reads, StreamingModel::read_your_writes,
        StreamingModel::monotonic_writes, StreamingModel::writes_follow_reads}) {
    EXPECT_GT(decided[static_cast<std::size_t>(model)], histories / 10) << name_of(model);
    EXPECT_GT(violated[static_cast<std::size_t>(model)], histories / 200) << name_of(model);
  }
}

Recording simulated(SimulatedStore store, SimulatedLoad load, Planted planted) {
  SimulationPlan plan;
  plan.store = store;
  plan.load = load;
  plan.planted = planted;
  plan.operations = 60'000;
  plan.sessions = 12;
  std::FILE* file = std::tmpfile();
  simulate(plan, file);
  std::string content(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(content.data(), 1, content.size(), file), content.size());
  std::fclose(file);
  Result<Recording> recording = parse_recording(content, "simulated");
  EXPECT_TRUE(recording);
  return std::move(*recording);
}

TEST(Streaming, ForgetsWhatEverySessionHasSeenOverwritten) {
  const Recording recording =
      simulated(SimulatedStore::strong, SimulatedLoad::hot, Planted::nothing);
  Replay replay(recording.history, 12);  // those who read in the end come later
  const StreamingChecker& checker = replay.run();
  EXPECT_EQ(checker.verdict(StreamingModel::weak_causal).verdict, Verdict::holds);
  EXPECT_EQ(checker.verdict(StreamingModel::pram).verdict, Verdict::holds);
  // What no session has read since may have been written by anybody: it is not remembered.
  EXPECT_NE(checker.verdict(StreamingModel::convergence).verdict, Verdict::violated);
  EXPECT_LT(replay.most_remembered(), 2'000U);  // of 30,000
}

TEST(Streaming, FindsWhatIsPlantedInALongHistory) {
  for (const Planted planted :
       {Planted::stale_read, Planted::skipped_dependency, Planted::resurrected_value}) {
    const Recording recording = simulated(SimulatedStore::converge, SimulatedLoad::hot, planted);
    Replay replay(recording.history);
    const StreamingChecker& checker = replay.run();
    EXPECT_EQ(checker.verdict(StreamingModel::weak_causal).verdict, Verdict::violated)
        << static_cast<int>(planted);
    EXPECT_EQ(checker.verdict(StreamingModel::pram).verdict,
              offline(recording.history, StreamingModel::pram))
        << static_cast<int>(planted);
  }
}

TEST(Streaming, AVersionThatComesFarTooLateLeavesTheOrderOpen) {
  for (const std::int64_t late : {1, 9'999}) {
    StreamingChecker checker(1, 1);
    StreamOperation write{0, 0, 0, Function::write, Outcome::ok, 0, 0, false};
    for (std::int64_t i = 2; i < 10'000; ++i) {
      write.value = write.version = i == 9'999 ? late : i;
      checker.begin(write);
      checker.complete(write);
    }
    EXPECT_EQ(checker.verdict(StreamingModel::monotonic_writes).verdict,
              late == 1 ? Verdict::inconclusive : Verdict::holds);
  }
}

TEST(Streaming, AViolationStaysOneHoweverMuchFollows) {
  StreamingChecker checker(2, 1);
  std::int64_t last = 0;
  const auto write = [&](SessionId session, KeyId key, std::int64_t version) {
    StreamOperation update{session, key, 0, Function::write, Outcome::ok, ++last, version, false};
    checker.begin(update);
    checker.complete(update);
  };
  write(0, 0, 2);
  write(0, 1, 1);
  write(1, 1, 2);
  write(1, 0, 1);  // 0's first is after it, by version; its second before, by session
  for (std::int64_t i = 3; i < 10'000; ++i) write(0, 0, i);
  EXPECT_EQ(checker.verdict(StreamingModel::monotonic_writes).verdict, Verdict::violated);
}

TEST(Streaming, DeletesAndVersionsOfTwoValuesAreLeftOpen) {
  for (const bool removes : {true, false}) {
    StreamingChecker checker(1, 1);
    StreamOperation write{0, 0, 0, Function::write, Outcome::ok, 1, 1, false};
    checker.begin(write);
    checker.complete(write);
    StreamOperation other{0, 0, 0, Function::write, Outcome::ok, 2, 1, false};
    if (removes) other.function = Function::remove, other.value.reset(), other.version = 2;
    checker.complete(other);
    EXPECT_EQ(checker.verdict(StreamingModel::read_your_writes).verdict, Verdict::inconclusive);
  }
}

TEST(Streaming, ASessionThatHadRetiredLeavesPramOpen) {
  StreamingChecker checker(2, 1);
  StreamOperation write{0, 0, 0, Function::write, Outcome::ok, 1, std::nullopt, false};
  checker.begin(write);
  checker.complete(write);
  checker.retire(1);
  StreamOperation read{1, 0, 0, Function::read, Outcome::ok, 1, std::nullopt, false};
  checker.complete(read);
  EXPECT_EQ(checker.verdict(StreamingModel::pram).verdict, Verdict::inconclusive);
  EXPECT_EQ(checker.verdict(StreamingModel::weak_causal).verdict, Verdict::inconclusive);
}

TEST(Streaming, SaysWhatItCannotDecide) {
  StreamingChecker checker(2, 1);
  StreamOperation write{0, 0, 0, Function::write, Outcome::ok, 7, std::nullopt, false};
  checker.begin(write);
  checker.complete(write);
  checker.begin(write);
  EXPECT_EQ(checker.verdict(StreamingModel::weak_causal).verdict, Verdict::inconclusive);
  EXPECT_EQ(checker.verdict(StreamingModel::weak_causal).why, "two updates wrote one value");
  EXPECT_EQ(checker.verdict(StreamingModel::monotonic_reads).verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace consistory
