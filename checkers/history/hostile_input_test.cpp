// Readers against mutated input, seeded: whatever comes, the answer is a history or an error.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "checkers/history/litmus.h"
#include "checkers/history/recording.h"
#include "checkers/history/text.h"

namespace consistory {
namespace {

const std::string kRecording =
    R"({"schema":"consistory.history/1","nodes":["n1"],"promised":["causal"]})"
    "\n"
    R"({"index":0,"time":5,"process":1,"type":"invoke","f":"cas","key":"x","value":[1,2],"node":"n1"})"
    "\n"
    R"({"index":1,"time":9,"process":1,"type":"ok","f":"cas","key":"x","value":[1,2],"swapped":false,"seen":3})"
    "\n"
    R"({"index":2,"time":9,"process":"nemesis","type":"info","f":"kill","value":{"number":0},"state":"healed"})"
    "\n"
    R"({"index":3,"time":9,"process":"f","type":"invoke","f":"read","key":"l","value":null,"final":true})"
    "\n"
    R"({"index":4,"time":9,"process":"f","type":"ok","f":"read","key":"l","value":["a",1.5,null],"final":true})"
    "\n";
const std::string kLitmus =
    R"({"id":"a","nodes":["n1"],"settled":false,"ops":[{"process":"A","f":"append","key":"l","value":1,)"
    R"("invoke":0,"complete":9,"type":"ok","node":"n1","ver":2},{"process":0,"f":"read","key":"l",)"
    R"("value":[1],"invoke":10,"complete":null,"type":"info"}],"expect":{"lin":"valid"}})";
const std::string kText =
    "nodes n1 n2; A write x 1 @n1 ver=3; B cas x 1 2 -> no 7 [3,9]; F read l -> [1 2] final ?";

std::string mutated(std::string text, Random& random) {
  const std::string spice = "{}[]\",:0-e.\\\n \xff\x00tn";
  for (std::size_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0:
        text[at] = spice[random.below(spice.size())];
        break;
      case 1:
        text.erase(at, 1 + random.below(12));
        break;
      case 2:
        text.insert(at, 1, spice[random.below(spice.size())]);
        break;
      default:
        text.insert(at, text.substr(random.below(text.size()), random.below(40)));
    }
  }
  return text;
}

template <class Parse>
void survive(const std::string& seed_text, const Parse& parse) {
  Random random(20261123);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 15'000; ++i) {
    const auto result = parse(mutated(seed_text, random));
    ++(result ? accepted : refused);
    EXPECT_TRUE(result || !result.error().message.empty());
  }
  EXPECT_GT(accepted, 50);
  EXPECT_GT(refused, 50);
}

/// The same lines, each with a field that the quick reader leaves to the careful one.
std::string for_the_careful_reader(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    const bool opens = text[at] == '{' && (at == 0 || text[at - 1] == '\n');
    if (opens) out += "\"unknown\":0,";
  }
  return out;
}

std::string shown(const Result<Recording>& recording) {
  if (!recording) return "refused";
  std::string text = recording->history.settled ? "settled\n" : "";
  for (const Operation& operation : recording->history.operations) {
    text += operation_text(recording->history, operation);
    text += fmt::format(" {} {} {} {}\n", operation.invoke, operation.complete, operation.invoke_ns,
                        operation.complete_ns);
  }
  return text;
}

TEST(HostileInput, QuickAndCarefulReaderAgree) {
  const std::string plain =
      R"({"schema":"consistory.history/1","nodes":["n1","n2"]})"
      "\n"
      R"({"index":0,"time":5,"process":1,"type":"invoke","f":"cas","key":"x","value":[1,2],"node":"n1"})"
      "\n"
      R"({"index":1,"time":6,"process":"B","type":"invoke","f":"read","key":7,"node":"n2"})"
      "\n"
      R"({"index":2,"time":9,"process":1,"type":"ok","f":"cas","key":"x","value":[1,2],"swapped":false,"seen":3})"
      "\n"
      R"({"index":3,"time":9,"process":"B","type":"ok","f":"read","key":7,"value":[1,-2,3],"ver":4})"
      "\n"
      R"({"index":4,"time":10,"process":1,"type":"invoke","f":"write","key":"y","value":9})"
      "\n"
      R"({"index":5,"time":12,"process":1,"type":"fail","f":"write","key":"y","value":9,"error":"no"})"
      "\n"
      R"({"index":6,"time":13,"process":"B","type":"invoke","f":"read","key":"y","value":null,"final":true})"
      "\n";
  ASSERT_NE(shown(parse_recording(plain, "f")), "refused");
  Random random(20261124);
  int accepted = 0;
  for (int i = 0; i < 15'000; ++i) {
    const std::string text = i == 0 ? plain : mutated(plain, random);
    const std::string quick = shown(parse_recording(text, "f"));
    EXPECT_EQ(quick, shown(parse_recording(for_the_careful_reader(text), "f"))) << text;
    accepted += quick == "refused" ? 0 : 1;
  }
  EXPECT_GT(accepted, 500);
}

/// Ids such as `session << 32 | counter`; a table of them must not grow beyond its contents.
TEST(HostileInput, ValuesThatShareTheirLowBits) {
  std::string text = "{\"schema\":\"consistory.history/1\",\"nodes\":[\"n1\"]}\n";
  for (std::int64_t i = 1; i <= 30'000; ++i) {
    for (const char* type : {"invoke", "ok"})
      text += fmt::format(R"({{"process":1,"type":"{}","f":"write","key":"k","value":{}}})"
                          "\n",
                          type, i << 40);
  }
  const Result<Recording> recording = parse_recording(text, "f");
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->history.values.size(), 30'001U);
}

/// The replica set is what the header says, whatever the lines after it name.
TEST(HostileInput, TheHeaderNamesTheReplicas) {
  const Result<Recording> recording =
      parse_recording(R"({"schema":"consistory.history/1","nodes":["n1"]})"
                      "\n"
                      R"({"process":1,"type":"invoke","f":"write","key":"k","value":1,"node":"n9"})"
                      "\n",
                      "f");
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->history.replica_count, 1U);
  EXPECT_EQ(recording->history.nodes, (std::vector<std::string>{"n1", "n9"}));
}

TEST(HostileInput, Recording) {
  survive(kRecording, [](const std::string& text) { return parse_recording(text, "f"); });
}
TEST(HostileInput, Litmus) {
  survive(kLitmus, [](const std::string& text) { return parse_litmus_line(text, "f:1"); });
}
TEST(HostileInput, Text) {
  survive(kText, [](const std::string& text) { return parse_history_text(text); });
}

}  // namespace
}  // namespace consistory
