#include "checkers/exports/export.h"

#include <gtest/gtest.h>

#include "checkers/history/text.h"
#include "checkers/imports/import.h"
#include "checkers/judge.h"
#include "checkers/testing/random_history.h"
#include "checkers/transactions/levels.h"

namespace consistory {
namespace {

History parsed(const std::string& text) {
  Result<History> history = parse_history_text(text);
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  return std::move(*history);
}

std::string exported(const std::string& text, ExportOptions options) {
  const Result<std::string> out = export_history(parsed(text), options);
  return out ? *out : "refused: " + out.error().message;
}

TEST(Export, RegistersAreTuplesForKnossos) {
  EXPECT_EQ(exported("A write x 1 [0,9]; B cas x 1 2 [10,19]; A read x -> 2 [20,29]",
                     {ExportFormat::edn, std::nullopt}),
            "{:process 0, :type :invoke, :f :write, :value [\"x\" 1], :time 0, :index 0}\n"
            "{:process 0, :type :ok, :f :write, :value [\"x\" 1], :time 9000000, :index 1}\n"
            "{:process 1, :type :invoke, :f :cas, :value [\"x\" [1 2]], :time 10000000, "
            ":index 2}\n"
            "{:process 1, :type :ok, :f :cas, :value [\"x\" [1 2]], :time 19000000, "
            ":index 3}\n"
            "{:process 0, :type :invoke, :f :read, :value [\"x\" nil], :time 20000000, "
            ":index 4}\n"
            "{:process 0, :type :ok, :f :read, :value [\"x\" 2], :time 29000000, :index 5}\n");
}

TEST(Export, ListsAreTransactionsForElle) {
  const std::string text =
      exported("A append l 1 [0,9]; B read l -> [1] [10,19]", {ExportFormat::edn, std::nullopt});
  EXPECT_NE(text.find(":f :txn, :value [[:append \"l\" 1]]"), std::string::npos) << text;
  EXPECT_NE(text.find(":value [[:r \"l\" [1]]]"), std::string::npos) << text;
}

TEST(Export, ALostOperationEndsItsProcess) {
  const std::string text =
      exported("A write x 1 ? [0,9]; A write x 2 [10,19]", {ExportFormat::jepsen_log, {}});
  EXPECT_EQ(text,
            "INFO  jepsen.util - 0\t:invoke\t:write\t1\n"
            "INFO  jepsen.util - 1\t:invoke\t:write\t2\n"
            "INFO  jepsen.util - 1\t:ok\t:write\t2\n"
            "INFO  jepsen.util - 0\t:info\t:write\t:timed-out\n");
}

TEST(Export, SaysWhatItCannotSay) {
  EXPECT_EQ(exported("A write x 1; B write y 1", {ExportFormat::jepsen_log, std::nullopt}),
            "refused: jepsen-log cannot say this history: it holds 2 keys; --key picks one");
  EXPECT_EQ(exported("A append l 1", {ExportFormat::plume, std::nullopt}),
            "refused: plume cannot say this history: it holds lists");
  EXPECT_EQ(exported("A delete x", {ExportFormat::plume, std::nullopt}),
            "refused: plume cannot say this history: it holds a delete");
  EXPECT_NE(exported("A write x 1", {ExportFormat::edn, "y"}).find("unknown key"),
            std::string::npos);
}

Verdict verdict_of(const History& history, const char* model) {
  JudgeOptions options;
  options.models = {*find_model(model)};
  options.witnesses = false;
  return judge(history, options).models.front().verdict.verdict;
}

/// Our own reading of what was written for others agrees with the history itself.
TEST(Export, EdnComesBackAsItWas) {
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    HistoryShape shape;
    shape.lists = 0;
    const History history = random_history(random, shape);
    const Result<std::string> text = export_history(history, {ExportFormat::edn, std::nullopt});
    ASSERT_TRUE(text);
    const Result<Imported> back = import_history(*text, "f", {ImportFormat::edn, true});
    ASSERT_TRUE(back) << back.error().message << "\n" << *text;
    const auto* again = std::get_if<History>(&*back);
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(verdict_of(*again, "linearizable"), verdict_of(history, "linearizable"))
        << text_of(history) << *text;
  }
}

/// What AWDIT calls causal is causal convergence of single operations.
TEST(Export, PlumeCausalIsCausalConvergence) {
  Random random(5);
  int violated = 0;
  for (int i = 0; i < 600; ++i) {
    HistoryShape shape;
    shape.lists = shape.cas = shape.info = 0;
    const History history = random_history(random, shape);
    const Result<std::string> text = export_history(history, {ExportFormat::plume, std::nullopt});
    ASSERT_TRUE(text) << text.error().message;
    const Result<Imported> back = import_history(*text, "f", {ImportFormat::plume, false});
    ASSERT_TRUE(back) << back.error().message;
    const auto* transactions = std::get_if<TransactionHistory>(&*back);
    ASSERT_NE(transactions, nullptr);
    TransactionOptions options;
    options.levels = {Level::causal};
    const Verdict theirs = judge_transactions(*transactions, options).levels.front().verdict;
    EXPECT_EQ(theirs, verdict_of(history, "causal-convergence")) << text_of(history) << *text;
    violated += theirs == Verdict::violated ? 1 : 0;
  }
  EXPECT_GT(violated, 50);
}

}  // namespace
}  // namespace consistory
