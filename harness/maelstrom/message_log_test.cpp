#include "harness/maelstrom/message_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace consistory {
namespace {

class MessageLogs : public ::testing::Test {
 protected:
  std::string log(const std::string& name, const std::string& content) {
    const std::string path = ::testing::TempDir() + "/" + name;
    std::ofstream(path) << content;
    paths_.push_back(path);
    return path;
  }
  ~MessageLogs() override {
    for (const std::string& path : paths_) std::filesystem::remove(path);
  }
  std::vector<std::string> paths_;
};

TEST_F(MessageLogs, OfEqualMessagesTheLastThatWasSentBeforeIsTheOneThatCame) {
  const std::string hello = R"({"src":"n1","dest":"n2","body":{"type":"hello"}})";
  const std::vector<Message> messages = read_message_logs(
      {log("n1", "90 sent " + hello + "\n110 sent " + hello + "\n120 sent " + hello + "\n"),
       log("n2", "130 received " + hello + "\n")},
      100);
  ASSERT_EQ(messages.size(), 2U);  // what was sent before the load is left out
  EXPECT_EQ(messages[0].sent_ns, 10);
  EXPECT_EQ(messages[0].received_ns, -1);
  EXPECT_EQ(messages[0].from, "n1");
  EXPECT_EQ(messages[0].to, "n2");
  EXPECT_EQ(messages[0].body, R"({"type":"hello"})");
  EXPECT_EQ(messages[1].sent_ns, 20);
  EXPECT_EQ(messages[1].received_ns, 30);
}

TEST_F(MessageLogs, WhatCameTwiceIsThereTwice) {
  const std::string hello = R"({"src":"n1","dest":"n2","body":{}})";
  const std::vector<Message> messages =
      read_message_logs({log("n1", "1 sent " + hello + "\n"),
                         log("n2", "2 received " + hello + "\n5 received " + hello + "\n")},
                        0);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].received_ns + messages[1].received_ns, 7);
}

TEST_F(MessageLogs, OtherLinesAndBrokenOnesAreSkipped) {
  const std::vector<Message> messages = read_message_logs(
      {log("n1",
           "a log line\n1 sent {broken\n12345678901234567890123 sent {}\n {\n3 client "
           "{\"type\":\"read\"}\n4 answer {\"type\":\"read_ok\"}\n5 received {}\n6 sent {}\n"),
       "/no/such/file"},
      0);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].from, "clients");
  EXPECT_EQ(messages[1].to, "clients");
}

}  // namespace
}  // namespace consistory
