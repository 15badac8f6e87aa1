// Other projects' formats: what is read, what is refused and where; objects beside registers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "checkers/history/text.h"
#include "checkers/imports/edn.h"
#include "checkers/imports/import.h"
#include "checkers/judge.h"
#include "checkers/transactions/levels.h"

namespace consistory {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string printed(const Edn& edn) {
  switch (edn.kind) {
    case Edn::Kind::nil:
      return "nil";
    case Edn::Kind::integer:
      return std::to_string(edn.integer);
    case Edn::Kind::keyword:
      return ":" + edn.text;
    case Edn::Kind::text:
      return "\"" + edn.text + "\"";
    case Edn::Kind::boolean:
    case Edn::Kind::real:
    case Edn::Kind::symbol:
      return edn.text;
    case Edn::Kind::sequence:
    case Edn::Kind::map:
      break;
  }
  std::string text = edn.kind == Edn::Kind::map ? "{" : "[";
  for (const Edn& item : edn.items) text += (text.size() > 1 ? " " : "") + printed(item);
  return text + (edn.kind == Edn::Kind::map ? "}" : "]");
}

std::string read_all(std::string_view text) {
  EdnReader reader(text, "in");
  std::string all;
  while (true) {
    const Result<std::optional<Edn>> form = reader.next();
    if (!form) return "error " + form.error().message;
    if (!*form) return all;
    all += (all.empty() ? "" : "|") + printed(**form);
  }
}

TEST(Edn, ReadsWhatHistoriesAreMadeOf) {
  EXPECT_EQ(read_all("{:a 1, :b [nil true -3 2.5 7N]} ; and so on\n{:c \"x\\n\\u0041\"}"),
            "{:a 1 :b [nil true -3 2.5 7]}|{:c \"x\nA\"}");
  EXPECT_EQ(read_all("#{1 2} #jepsen.history.Op{:index 0} #inst \"2020\""),
            "[1 2]|{:index 0}|\"2020\"");
  EXPECT_EQ(read_all("{:a #_ {:b 1} 2} sym \\c \\newline"), "{:a 2}|sym|\"c\"|\"newline\"");
}

TEST(Edn, AListAroundEverythingIsTheHistory) {
  EXPECT_EQ(read_all("[{:a 1}\n {:b 2}]"), "{:a 1}|{:b 2}");
  EXPECT_EQ(read_all("({:a 1})"), "{:a 1}");
  EXPECT_EQ(read_all(""), "");
}

TEST(Edn, ErrorsTellLineAndColumn) {
  EXPECT_THAT(read_all("{:a 1}\n{:b ]"), StartsWith("error in:2:5: EDN: expected a form, got ']'"));
  EXPECT_THAT(read_all("{:a"), HasSubstr("expected '}', got the end"));
  EXPECT_THAT(read_all("{:a 1 :b}"), HasSubstr("expected a value for the last key"));
  EXPECT_THAT(read_all("\"open"), HasSubstr("at the end of a string"));
  EXPECT_THAT(read_all("[1 2"), HasSubstr("']' at the end of the history"));
  EXPECT_THAT(read_all("[1] 2"), HasSubstr("nothing after the history"));
  EXPECT_THAT(read_all("{" + std::string(100, '[')), HasSubstr("64 levels"));
}

Result<Imported> imported(std::string_view text, bool keyed = false) {
  return import_history(text, "in.edn", {std::nullopt, keyed});
}

std::string error_of(std::string_view text) {
  const Result<Imported> result = imported(text);
  return result ? "no error" : result.error().message;
}

constexpr const char* kRegister =
    "{:process 0, :type :invoke, :f :write, :value 1}\n"
    "{:process :nemesis, :type :info, :f :start, :value nil}\n"
    "{:process 1, :type :invoke, :f :cas, :value [1 2]}\n"
    "{:process 0, :type :ok, :f :write, :value 1}\n"
    "{:process 1, :type :info, :f :cas, :value [1 2]}\n"
    "{:process 1, :type :invoke, :f :read, :value nil}\n"
    "{:process 1, :type :ok, :f :read, :value 2}\n";

TEST(Imports, RegistersOfJepsen) {
  const Result<Imported> result = imported(kRegister);
  ASSERT_TRUE(result) << result.error().message;
  const auto& history = std::get<History>(*result);
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(operation_text(history, history.operations[1]), "1 cas register 1 2 ?");
  EXPECT_EQ(history.sessions.size(), 3U);  // after :info a process is a new session
  JudgeOptions options;
  options.models = {*find_model("linearizable")};
  EXPECT_EQ(judge(history, options).models[0].verdict.verdict, Verdict::holds);
}

TEST(Imports, TheSameInEveryNotation) {
  const char* json =
      R"([{"process":0,"type":"invoke","f":"write","value":1},{"process":0,"type":"ok","f":"write","value":1},)"
      R"({"process":1,"type":"invoke","f":"read","value":null},{"process":1,"type":"ok","f":"read","value":1}])";
  const char* lines =
      "{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":1}\n"
      "{\"process\":0,\"type\":\"ok\",\"f\":\"write\",\"value\":1}\n"
      "{\"process\":1,\"type\":\"invoke\",\"f\":\"read\",\"value\":null}\n"
      "{\"process\":1,\"type\":\"ok\",\"f\":\"read\",\"value\":1}\n";
  const char* log =
      "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t1\n"
      "INFO  jepsen.core - Run complete\n"
      "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\t1\n";
  for (const char* text : {json, lines, log}) {
    const Result<Imported> result = import_history(text, "in", {});
    ASSERT_TRUE(result) << result.error().message;
    const auto& history = std::get<History>(*result);
    ASSERT_EQ(history.size(), 2U) << text;
    EXPECT_EQ(operation_text(history, history.operations[1]), "1 read register -> 1");
  }
}

constexpr const char* kKeyed =
    "{:process 0, :type :invoke, :f :write, :value [7 1]}\n"
    "{:process 0, :type :ok, :f :write, :value [7 1]}\n"
    "{:process 0, :type :invoke, :f :read, :value [8 nil]}\n"
    "{:process 0, :type :ok, :f :read, :value [8 nil]}\n";

TEST(Imports, TuplesAreNoValuesIfReadsShowTheirKeys) {
  EXPECT_THAT(error_of(kKeyed), HasSubstr("in.edn:3: expected values without keys"));
  const std::string pairs =
      "{:process 0, :type :invoke, :f :write, :value [7 1]}\n"
      "{:process 0, :type :ok, :f :write, :value [7 1]}\n"
      "{:process 0, :type :invoke, :f :read, :value nil}\n"
      "{:process 0, :type :ok, :f :read, :value [7 1]}\n";
  EXPECT_EQ(error_of(pairs), "no error");
}

TEST(Imports, KeyedTuples) {
  const Result<Imported> result = imported(kKeyed, true);
  ASSERT_TRUE(result) << result.error().message;
  const auto& history = std::get<History>(*result);
  EXPECT_EQ(history.keys, (std::vector<std::string>{"7", "8"}));
}

TEST(Imports, TheValueOfAFailureIsNotWhatWasDone) {
  const Result<Imported> registers = imported(
      "{:process 0, :type :invoke, :f :cas, :value [1 2]}\n"
      "{:process 0, :type :fail, :f :cas, :value :timed-out}\n");
  ASSERT_TRUE(registers) << registers.error().message;
  const Result<Imported> transactions = imported(
      "{:process 0, :type :invoke, :f :txn, :value [[:w x 1]]}\n"
      "{:process 0, :type :fail, :f :txn, :value :timed-out}\n"
      "{:process 1, :type :invoke, :f :txn, :value [[:r x nil]]}\n"
      "{:process 1, :type :ok, :f :txn, :value [[:r x 1]]}\n"
      "{:process 1, :type :invoke, :f :txn, :value [[:r x nil]]}\n"
      "{:process 1, :type :ok, :f :txn}\n");
  ASSERT_TRUE(transactions) << transactions.error().message;
  const auto& history = std::get<TransactionHistory>(*transactions);
  EXPECT_EQ(history.steps_of(0).size(), 1U);
  EXPECT_EQ(history.steps_of(2).size(), 0U);  // what it read is not told
  for (const LevelVerdict& level : judge_transactions(history, {}).levels) {
    const bool weakest = level.level == Level::read_uncommitted;
    EXPECT_EQ(level.verdict, weakest ? Verdict::holds : Verdict::violated);
  }
}

TEST(Imports, OtherLinesOfALogAreNoEvents) {
  const Result<Imported> result = import_history(
      "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0 nodes are ready\n"
      "INFO  jepsen.util - 0\t:ok\t:write\t1\n",
      "in", {ImportFormat::jepsen_log, false});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(std::get<History>(*result).size(), 1U);
}

TEST(Imports, ErrorsTellTheLine) {
  EXPECT_THAT(error_of("{:process 0, :type :ok, :f :read}"),
              HasSubstr("in.edn:1: process 0 completes what it did not invoke"));
  EXPECT_THAT(
      error_of("{:process 0, :type :invoke, :f :read}\n{:process 0, :type :invoke, :f :read}"),
      HasSubstr("in.edn:2: process 0 invokes again"));
  EXPECT_THAT(error_of("{:process 0, :type :maybe}"), HasSubstr("expected :type :invoke"));
  EXPECT_THAT(error_of("{:process 0, :type :invoke, :f :frob}"), HasSubstr("got 'frob'"));
  EXPECT_THAT(error_of("{:process 0, :type :invoke, :f :cas, :value 3}"),
              HasSubstr("expected [old new]"));
  EXPECT_THAT(error_of("7"), HasSubstr("expected an event"));
  EXPECT_THAT(error_of(""), HasSubstr("found no operation"));
  EXPECT_THAT(error_of("{:process 0, :type :invoke, :f :txn, :value [[:frob 1 2]]}"),
              HasSubstr("got frob"));
}

Verdict of_objects(std::string_view text) {
  const Result<Imported> result = import_history(text, "in", {});
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return judge_objects(std::get<ObjectHistory>(*result), 100'000).verdict;
}

TEST(Objects, QueueStackAndPriorityQueue) {
  EXPECT_EQ(of_objects("# queue\nenq 1 0 1\nenq 2 2 3\ndeq 1 4 5\ndeq 2 6 7\n"), Verdict::holds);
  EXPECT_EQ(of_objects("# queue\nenq 1 0 1\nenq 2 2 3\ndeq 2 4 5\n"), Verdict::violated);
  EXPECT_EQ(of_objects("# stack\npush 1 0 1\npush 2 2 3\npop 2 4 5\npop -1 6 7\n"),
            Verdict::violated);
  EXPECT_EQ(of_objects("# priorityqueue\ninsert 9 0 1\ninsert 10 2 3\npoll 10 4 5\n"),
            Verdict::holds);
}

TEST(Objects, SetsAndSemaphores) {
  EXPECT_EQ(of_objects("# set\n0 0 1 INSERT 2 1\n0 2 3 INSERT 2 0\n0 4 5 REMOVE 2 1\n"),
            Verdict::holds);
  EXPECT_EQ(of_objects("# set\n0 0 1 INSERT 2 1\n1 2 3 CONTAINS 2 0\n"), Verdict::violated);
  EXPECT_EQ(of_objects("# semaphore\n0 0 1 INCR 1\n1 2 5 DECR 1\n2 3 4 DECR 1\n"),
            Verdict::violated);
}

TEST(Objects, APutBeyondTheWindowMayReplaceAString) {
  ObjectHistory history;
  history.kind = ObjectKind::string;
  const auto call = [&](Method method, const char* text, std::int64_t invoke,
                        std::int64_t complete) {
    ObjectCall made;
    made.method = method;
    made.argument = text;
    made.invoke = invoke;
    made.complete = complete;
    history.calls.push_back(made);
  };
  call(Method::append, "a", 0, 1);
  for (int i = 0; i < 300; ++i) call(Method::append, "b", 2 + i, kNever);
  call(Method::get, "p", 400, 500);
  call(Method::put, "p", 401, 402);
  EXPECT_EQ(judge_objects(history, 1'000'000).verdict, Verdict::holds);
}

TEST(Objects, AWitnessIsABeginningThatNoOrderExplains) {
  const Result<Imported> result =
      import_history("# queue\nenq 1 0 1\nenq 2 2 3\ndeq 2 4 5\nenq 3 6 7\ndeq 1 8 9\n", "in", {});
  ASSERT_TRUE(result);
  const auto& history = std::get<ObjectHistory>(*result);
  EXPECT_EQ(judge_objects(history, 1000).witness, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Objects, TheBudgetEndsTheSearch) {
  ObjectHistory history;
  history.kind = ObjectKind::set;
  for (int i = 0; i < 16; ++i) {
    ObjectCall call;
    call.method = Method::insert;
    call.argument = std::to_string(i);
    call.invoke = 0;
    call.complete = 10;
    call.answer = i % 2 == 0;  // half of them false: no order explains that
    history.calls.push_back(call);
  }
  EXPECT_EQ(judge_objects(history, 100).verdict, Verdict::inconclusive);
}

/// Whatever is done to a history, the answer is a history or an error.
TEST(Imports, SurviveMutation) {
  const std::vector<std::string> seeds = {
      kRegister,
      "{:process 0, :type :invoke, :f :txn, :value [[:append 1 2] [:r 3 nil]]}\n"
      "{:process 0, :type :ok, :f :txn, :value [[:append 1 2] [:r 3 [4 5]]]}\n",
      "# set\n0 0 1 INSERT 2 1\n0 2 3 INSERT 2 0\n", "w 1 1\nr 2 0\n-----\nr 1 1\n=====\nw 2 7\n",
      "[{\"process\":0,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,2]}]"};
  const std::string alphabet = "{}[]():#\"\\ \n0179-rw=:invokeokxnil,;_";
  Random random(5);
  std::size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seeds[random.below(seeds.size())];
    for (std::size_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = random.below(text.size());
      if (random.chance(0.3)) text.erase(at, 1 + random.below(6));
      else if (random.chance(0.5)) text.insert(at, 1, alphabet[random.below(alphabet.size())]);
      else text[at] = static_cast<char>(random.below(256));
    }
    const auto format = static_cast<ImportFormat>(random.below(5));
    const Result<Imported> result = import_history(text, "in", {format, random.chance(0.2)});
    if (!result) {
      EXPECT_FALSE(result.error().message.empty());
      continue;
    }
    ++read;
    if (const auto* transactions = std::get_if<TransactionHistory>(&*result))
      static_cast<void>(judge_transactions(*transactions, {}));
    if (const auto* objects = std::get_if<ObjectHistory>(&*result))
      static_cast<void>(judge_objects(*objects, 1000));
  }
  EXPECT_GT(read, 100U);
}

TEST(Jepsen, SetsAreAddedToAndReadAsSequences) {
  const char* const kSets =
      "{:process 0, :type :invoke, :f :read, :value nil}\n"
      "{:process 0, :type :ok, :f :read, :value #{}}\n"
      "{:process 0, :type :invoke, :f :add, :value 7}\n"
      "{:process 0, :type :ok, :f :add, :value 7}\n"
      "{:process 1, :type :invoke, :f :add, :value 8}\n"
      "{:process 1, :type :info, :f :add, :value 8}\n"
      "{:process 2, :type :invoke, :f :read, :value nil}\n"
      "{:process 2, :type :ok, :f :read, :value #{8 7}}\n";
  const Result<Imported> imported = import_history(kSets, "sets.edn", {ImportFormat::edn, false});
  ASSERT_TRUE(imported) << imported.error().message;
  const History& history = std::get<History>(*imported);
  EXPECT_TRUE(history.sets);
  EXPECT_EQ(value_text(history, history.operations.back()), "{7 8}");
  EXPECT_EQ(judge(history, {}).find("linearizable")->verdict.verdict, Verdict::holds);
}

}  // namespace
}  // namespace consistory
