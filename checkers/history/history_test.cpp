// Histories, their test language and their readers: what is accepted, and how the rest is refused.
#include "checkers/history/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkers/history/litmus.h"
#include "checkers/history/recording.h"
#include "checkers/history/text.h"

namespace consistory {
namespace {

using testing::HasSubstr;

const std::string kHeader = R"({"schema":"consistory.history/1","nodes":["n1","n2"]})"
                            "\n";

std::string error_of(const std::string& lines) {
  const auto recording = parse_recording(lines, "h.jsonl");
  return recording ? "" : recording.error().message;
}

TEST(HistoryText, RoundTrips) {
  const std::string text = "A write x 1 @n1";
  const auto history = parse_history_text(text + "; B cas x 1 2 -> no 7; B read l -> [1 2] final");
  ASSERT_TRUE(history) << history.error().message;
  EXPECT_EQ(operation_text(*history, history.value().operations[0]), text);
  EXPECT_EQ(operation_text(*history, history.value().operations[1]), "B cas x 1 2 -> no 7");
  EXPECT_EQ(operation_text(*history, history.value().operations[2]), "B read l -> [1 2] final");
}

TEST(HistoryText, RefusesAMalformedHistory) {
  EXPECT_THAT(parse_history_text("A write x 1; A append x 2").error().message,
              HasSubstr("register or a list"));
  EXPECT_THAT(parse_history_text("A write x 1 [0,9]; A read x -> 1 [5,6]").error().message,
              HasSubstr("overlaps"));
  EXPECT_THAT(parse_history_text("A read x -> nil final; A write x 1").error().message,
              HasSubstr("before the first final read"));
  EXPECT_THAT(parse_history_text("A frob x 1").error().message, HasSubstr("unknown function"));
}

TEST(Recording, ReadsEventsInIndexOrder) {
  const auto recording = parse_recording(
      kHeader +
          R"({"index":0,"time":5,"process":1,"type":"invoke","f":"write","key":"x","value":7,"node":"n1"})"
          "\n"
          R"({"index":1,"time":9,"process":1,"type":"ok","f":"write","key":"x","value":7,"node":"n1","ver":3})"
          "\n"
          R"({"index":2,"time":9,"process":"nemesis","type":"info","f":"kill","value":"n2","state":"confirmed"})"
          "\n"
          R"({"index":3,"time":12,"process":2,"type":"invoke","f":"write","key":"x","value":8,"node":"n1"})"
          "\n",
      "h.jsonl");
  ASSERT_TRUE(recording) << recording.error().message;
  const History& history = recording.value().history;
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history.operations[0].version, 3);
  EXPECT_EQ(history.operations[0].invoke_ns, 5);
  EXPECT_EQ(history.operations[1].outcome, Outcome::info);  // left open
  EXPECT_EQ(recording.value().marks.at(0).state, "confirmed");
}

TEST(Recording, TornLastLineIsNotedAndLeftOut) {
  const auto recording = parse_recording(kHeader + R"({"index":0,"ti)", "h.jsonl");
  ASSERT_TRUE(recording);
  EXPECT_THAT(recording.value().notes.at(0), HasSubstr("h.jsonl:2: the last line is torn"));
}

TEST(Recording, HeaderCutShortIsRefused) {
  EXPECT_THAT(error_of(R"({"schema":"consis)"), HasSubstr("ends before its header"));
  EXPECT_THAT(error_of(""), HasSubstr("ends before its header"));
}

TEST(Recording, ErrorsNameTheLine) {
  EXPECT_THAT(error_of(kHeader + "\x01\xff\x02rubbish\n{}"), HasSubstr("h.jsonl:2:1: not JSON"));
  EXPECT_THAT(error_of(kHeader + R"({"process":1,"type":"ok","f":"read","key":"x"})"
                                 "\n"),
              HasSubstr("h.jsonl:2: a completion without an invocation"));
  EXPECT_THAT(error_of(kHeader + R"({"process":1,"type":"invoke","f":"write","key":"x","value":")" +
                       std::string(kValueBytesMax + 1, 'v') + "\"}\n"),
              HasSubstr("h.jsonl:2: a value of 1048577 bytes is over the bound"));
  EXPECT_THAT(
      error_of(kHeader + R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}\n"),
      HasSubstr("nested deeper"));
}

TEST(Recording, UnknownFieldIsWarnedOfOnce) {
  const std::string line =
      R"({"process":1,"type":"invoke","f":"write","key":"x","value":1,"colour":1})"
      "\n"
      R"({"process":1,"type":"ok","f":"write","key":"x","value":1,"colour":1})"
      "\n";
  const auto recording = parse_recording(kHeader + line, "h.jsonl");
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording.value().notes.size(), 1U);
  EXPECT_THAT(recording.value().notes[0], HasSubstr("unknown field \"colour\""));
}

TEST(Litmus, ReadsACase) {
  const auto parsed = parse_litmus_line(
      R"({"id":"a","nodes":["n1"],"settled":false,"ops":[{"process":"A","f":"append","key":"l","value":1,)"
      R"("invoke":0,"complete":9,"type":"ok","node":"n1"}],"expect":{"lin":"valid"}})",
      "f:1");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_FALSE(parsed.value().history.settled);
  EXPECT_TRUE(parsed.value().history.is_list.at(0));
  EXPECT_EQ(parsed.value().expect.at("lin"), "valid");
}

}  // namespace
}  // namespace consistory
