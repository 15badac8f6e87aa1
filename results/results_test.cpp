// Files and reports: what a store sent is inert in them, and what they state is in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "checkers/history/text.h"
#include "results/availability.h"
#include "results/campaign_page.h"
#include "results/json_files.h"
#include "results/report.h"
#include "results/terminal.h"
#include "results/transaction_record.h"

namespace consistory {
namespace {

using testing::HasSubstr;
using testing::Not;

RunRecord judged(std::string_view text) {
  RunRecord run;
  Result<History> history = parse_history_text(text);
  EXPECT_TRUE(history) << (history ? "" : history.error().message);
  run.recording.history = std::move(*history);
  run.judgement = judge(run.history(), {});
  run.pressure = measure_pressure(run.history(), {});
  run.availability = measure_availability(run.history(), {});
  run.overall = {Overall::violated, 1, "read-your-writes is violated", {"read-your-writes"}};
  run.store = "a store";
  return run;
}

const char* const kStale = "A write x 1 @n1; B write x 2 @n1; A read x -> nil @n2";

TEST(Report, ShowsTheWitnessInWordsAndAsADrawing) {
  const std::string html = report_html(judged(kStale));
  EXPECT_THAT(html, HasSubstr("session A wrote x = 1 on n1, and its later read of x returned nil"));
  EXPECT_THAT(html, HasSubstr("<svg"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
}

TEST(Report, HostileKeysAndValuesAreInert) {
  RunRecord run = judged(kStale);
  const std::string hostile = "</script><img onerror='x'>\x1b[31m\"";
  run.recording.history.keys[0] = hostile;
  run.recording.notes.push_back(hostile);
  for (JudgedModel& model : run.judgement.models) {
    if (model.witness) model.witness->history.keys[0] = hostile;
  }
  const std::string html = report_html(run);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("</script>")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(terminal_text(run, "", {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(verdict_json(run), Not(HasSubstr("\x1b")));
}

TEST(Report, MessagesAreDrawnAroundTheCounterexampleAndHostileOnesAreInert) {
  RunRecord run = judged(kStale);
  const Nanos end = run.judgement.models.front().witness->history.operations.back().complete_ns;
  run.messages = {{0, 1, "clients", "n1", R"({"type":"write","key":"</svg><img>"})"},
                  {1, -1, "n1", "n2", "no JSON \x1b[31m <b>"},
                  {end + kSecond, -1, "n2", "n1", R"({"type":"much-later"})"}};
  const std::string html = report_html(run);
  EXPECT_THAT(html, HasSubstr("2 of 3, up to the end of the first counterexample"));
  EXPECT_THAT(html, HasSubstr("n1 to n2, never came"));
  EXPECT_THAT(html, Not(HasSubstr("much-later")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
}

TransactionRecord write_skew(std::vector<std::string> promised, std::vector<std::string> expected) {
  TransactionRecord record;
  TransactionBuilder builder;
  for (const auto& [session, read, written] :
       {std::tuple{"a", "x", "y"}, std::tuple{"b", "y", "x"}}) {
    builder.begin(session, Outcome::ok, 1, 9);
    builder.read_list(read, {});
    builder.append(written, Value::of(read[0]));
  }
  builder.begin("c", Outcome::ok, 11, 19);
  builder.read_list("x", {Value::of('y')});
  builder.read_list("y", {Value::of('x')});
  record.history = *std::move(builder).finish("test");
  record.judgement = judge_transactions(record.history, {});
  record.counts.ok = 1000;
  record.run.promised = std::move(promised);
  record.run.expected_violations = std::move(expected);
  record.run.overall = overall_of(record);
  return record;
}

TEST(Transactions, TheOverallVerdictIsOnWhatWasPromisedAndExpected) {
  EXPECT_EQ(write_skew({"serializable"}, {}).run.overall.exit_code, 1);
  EXPECT_EQ(write_skew({"snapshot-isolation"}, {}).run.overall.exit_code, 0);
  EXPECT_EQ(write_skew({"serializable"}, {"serializable"}).run.overall.exit_code, 0);
  EXPECT_EQ(write_skew({}, {"snapshot-isolation"}).run.overall.exit_code, 1);
  TransactionRecord few = write_skew({"snapshot-isolation"}, {});
  few.counts.ok = 3;
  EXPECT_EQ(overall_of(few).exit_code, 2);
  few.counts.ok = 1000;
  few.run.faults.push_back({0, "partition", "n1 | n2", "", "", {}, 1, -1, 2});
  EXPECT_EQ(overall_of(few).exit_code, 2);
  few.run.failure = "it died";
  EXPECT_EQ(overall_of(few).exit_code, 3);
}

TEST(Messages, OfManyTheLastBeforeTheEndAreDrawn) {
  std::vector<Message> many;
  for (Nanos time = 0; time < 1000; ++time) many.push_back({time, time + 1, "n1", "n2", "{}"});
  const std::vector<Message> around = messages_around(many, 0, 500);
  EXPECT_EQ(around.back().sent_ns, 500);
  EXPECT_LT(around.size(), 200U);
  EXPECT_EQ(messages_around(many, 0, -1).front().sent_ns, 0);
}

TEST(Report, EveryLitmusShapeRenders) {
  for (const char* text :
       {"A read x -> 7",
        "nodes n1 n2; A write x 1; F read x -> 1 @n1 final; G read x -> nil @n2 final",
        "A write x 1; B write y 1; A read y -> nil; B read x -> nil", "A write x 1 ?"}) {
    EXPECT_THAT(report_html(judged(text)), HasSubstr("</html>")) << text;
  }
}

TEST(VerdictJson, CarriesTheWitness) {
  const auto json = nlohmann::json::parse(verdict_json(judged(kStale)));
  EXPECT_EQ(json["schema"], "consistory.verdict/1");
  bool found = false;
  for (const auto& model : json["models"]) {
    if (model["model"] != "read-your-writes") continue;
    found = true;
    EXPECT_EQ(model["state"], "violated");
    EXPECT_EQ(model["witness"]["operations"].size(), 2U);
    EXPECT_TRUE(model["witness"]["minimal"]);
  }
  EXPECT_TRUE(found);
}

TEST(Availability, CountsAcknowledgedUpdatesThatAreMissing) {
  const RunRecord run =
      judged("nodes n1; A append l 1 @n1; A append l 2 @n1; F read l -> [2] @n1 final local");
  EXPECT_EQ(run.availability.acknowledged_updates_missing, 1U);
}

TEST(Availability, OutsideFaultsOnly) {
  FaultRecord fault;
  fault.requested_ns = 9 * kMillisecond + 1;
  fault.healed_ns = 25 * kMillisecond;
  fault.targets = {"n1"};
  const History history =
      *parse_history_text("A write x 1 @n1; A write x 2 @n1 ?; A write x 3 @n1; A write x 4 @n1 !");
  const Availability availability = measure_availability(history, {fault});
  EXPECT_EQ(availability.operations_outside_faults, 2U);
  EXPECT_DOUBLE_EQ(availability.ok_share_outside_faults, 0.5);
}

TEST(Pressure, NamesWhatWasMissing) {
  const auto missing = [](std::string_view text, const std::vector<Mark>& marks) {
    return measure_pressure(*parse_history_text(text), marks).missing;
  };
  EXPECT_THAT(missing("A write x 1", {}), testing::Contains(HasSubstr("no read succeeded")));
  EXPECT_THAT(missing("A write x 1; A read x -> 1", {}),
              testing::Contains(HasSubstr("two sessions")));
  EXPECT_TRUE(missing("A write x 1; B read x -> 1", {}).empty());
  EXPECT_THAT(missing("A write x 1; B read x -> 1", {{5, "nemesis", "kill", "unconfirmed", "{}"}}),
              testing::Contains(HasSubstr("no evidence")));
}

TEST(CampaignPage, KeepsTheClassesApart) {
  CampaignRecord campaign;
  campaign.runs = {
      {"eventual", "none", 1, "runs/a", Overall::violated, 1, "s", {"monotonic-reads"}, true},
      {"primary", "none", 1, "runs/b", Overall::store_failed, 3, "s", {}, false}};
  EXPECT_EQ(count_classes(campaign)["violated"], 1U);
  EXPECT_EQ(count_classes(campaign)["store-failed"], 1U);
  EXPECT_THAT(campaign_html(campaign), HasSubstr("runs/a/report.html"));
  EXPECT_EQ(nlohmann::json::parse(campaign_json(campaign))["counts"]["holds"], 0);
}

}  // namespace
}  // namespace consistory
