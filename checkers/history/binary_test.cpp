#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/random.h"
#include "checkers/history/binary_writer.h"
#include "checkers/history/recording.h"

namespace consistory {
namespace {

const std::string kLines =
    R"({"schema":"consistory.history/1","nodes":["n1","n2"],"promised":["causal"],"store":"s"})"
    "\n"
    R"({"index":0,"time":50,"process":1,"type":"invoke","f":"cas","key":"x","value":[1,-2],"node":"n1"})"
    "\n"
    R"({"index":1,"time":40,"process":"B","type":"invoke","f":"read","key":"l","value":null,"node":"n2"})"
    "\n"
    R"({"index":2,"time":9000000000,"process":1,"type":"ok","f":"cas","key":"x","value":[1,-2],"swapped":false,"seen":3})"
    "\n"
    R"({"index":3,"time":9,"process":"nemesis","type":"info","f":"kill","state":"healed","value":{"number":0}})"
    "\n"
    R"({"index":4,"time":9,"process":"B","type":"ok","f":"read","key":"l","value":[],"ver":4})"
    "\n"
    R"({"index":5,"time":10,"process":1,"type":"invoke","f":"write","key":"y","value":"text"})"
    "\n"
    R"({"index":6,"time":12,"process":1,"type":"fail","f":"write","key":"y","value":"text","error":"no"})"
    "\n"
    R"({"index":7,"time":13,"process":1,"type":"invoke","f":"write","key":"y","value":9223372036854775807})"
    "\n";

std::string converted(std::string_view content,
                      Result<Conversion> (*write)(EventBatches&, const ByteSink&)) {
  const std::unique_ptr<ByteSource> source = memory_input(content);
  const std::unique_ptr<EventBatches> events = open_events(*source, "f");
  std::string out;
  const Result<Conversion> done = write(*events, [&](std::string_view bytes) {
    out += bytes;
    return true;
  });
  EXPECT_TRUE(done) << done.error().message;
  return out;
}

std::string shown(const Result<Recording>& recording) {
  if (!recording) return "refused: " + recording.error().message;
  std::string text = recording->store;
  for (const std::string& name : recording->history.nodes) text += " " + name;
  for (const Mark& mark : recording->marks) text += mark.actor + mark.detail;
  for (const Operation& operation : recording->history.operations) {
    text += "\n" + operation_text(recording->history, operation);
    text += fmt::format(" {} {} {} {}", operation.invoke, operation.complete, operation.invoke_ns,
                        operation.complete_ns);
  }
  return text;
}

TEST(Binary, ThereAndBackLosesNothing) {
  const std::string binary = converted(kLines, write_binary);
  EXPECT_TRUE(binary.starts_with(kBinaryMagic));
  EXPECT_LT(binary.size(), kLines.size() * 7 / 10);
  ASSERT_TRUE(parse_recording(kLines, "f"));
  EXPECT_EQ(shown(parse_recording(binary, "f")), shown(parse_recording(kLines, "f")));
  const std::string lines = converted(binary, write_json_lines);
  EXPECT_EQ(shown(parse_recording(lines, "f")), shown(parse_recording(kLines, "f")));
  EXPECT_NE(lines.find("\"error\":\"no\""), std::string::npos);
  EXPECT_EQ(converted(lines, write_binary), binary);
}

TEST(Binary, ATornEndIsNotedAndLeftOut) {
  const std::string whole = converted(kLines, write_binary);
  for (std::size_t size = kBinaryMagic.size() + 1; size < whole.size(); ++size) {
    const std::string torn = whole + whole.substr(kBinaryMagic.size(), size - kBinaryMagic.size());
    if (torn.size() == 2 * whole.size() - kBinaryMagic.size()) continue;
    const Result<Recording> recording = parse_recording(torn, "f");
    ASSERT_TRUE(recording) << recording.error().message;
    EXPECT_EQ(shown(recording), shown(parse_recording(kLines, "f")));
    ASSERT_FALSE(recording->notes.empty());
    EXPECT_NE(recording->notes.front().find("torn"), std::string::npos);
  }
}

TEST(Binary, DamageIsAnErrorWithItsPlace) {
  std::string binary = converted(kLines, write_binary);
  binary[binary.size() / 2] ^= 1;
  const Result<Recording> recording = parse_recording(binary, "f");
  ASSERT_FALSE(recording);
  EXPECT_EQ(recording.error().message,
            "f: the block at byte 8 is damaged: its checksum does not fit");
}

TEST(Binary, ALengthThatWasDamagedIsNoTear) {
  std::string binary = converted(kLines, write_binary);
  binary[kBinaryMagic.size() + 3] ^= 1;
  const Result<Recording> recording = parse_recording(binary, "f");
  ASSERT_FALSE(recording);
  EXPECT_NE(recording.error().message.find("is damaged"), std::string::npos);
}

TEST(Binary, LongNamesMakeMoreBlocks) {
  std::string lines = R"({"schema":"consistory.history/1"})"
                      "\n";
  for (int i = 1; i <= 3'000; ++i) {
    for (const char* type : {"invoke", "ok"})
      lines +=
          fmt::format(R"({{"process":1,"type":"{}","f":"write","key":"{}{:02000}","value":{}}})"
                      "\n",
                      type, "k", i, i);
  }
  const std::string binary = converted(lines, write_binary);
  EXPECT_EQ(shown(parse_recording(binary, "f")), shown(parse_recording(lines, "f")));
  // No block is much over a megabyte.
  std::uint32_t first = 0;
  std::memcpy(&first, binary.data() + kBinaryMagic.size(), 4);
  EXPECT_LT(first, 3U << 20);
}

TEST(Binary, HostileBytesAreRefused) {
  const std::string whole = converted(kLines, write_binary);
  Random random(79);
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string bytes = whole;
    for (std::size_t edits = 1 + random.below(3); edits > 0; --edits)
      bytes[8 + random.below(bytes.size() - 8)] = static_cast<char>(random.below(256));
    if (!parse_recording(bytes, "f")) ++refused;
  }
  EXPECT_GT(refused, 2'500);
}

TEST(Binary, BlocksOfALongHistoryStandForThemselves) {
  std::string lines = R"({"schema":"consistory.history/1"})"
                      "\n";
  for (int i = 1; i <= 60'000; ++i) {
    for (const char* type : {"invoke", "ok"})
      lines +=
          fmt::format(R"({{"time":{},"process":{},"type":"{}","f":"write","key":"k{}","value":{}}})"
                      "\n",
                      i * 1000, i % 7, type, i % 90, i);
  }
  const std::string binary = converted(lines, write_binary);
  EXPECT_LT(binary.size() * 6, lines.size());
  EXPECT_EQ(shown(parse_recording(binary, "f")), shown(parse_recording(lines, "f")));
}

}  // namespace
}  // namespace consistory
