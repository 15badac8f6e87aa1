// What the stores' files share: values as text, placeholders, settings, framing of what servers
// send.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "checkers/history/json_input.h"
#include "harness/stores/description.h"
#include "harness/stores/settings.h"
#include "harness/stores/text_exchange.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ValueText, ComesBackAsItWas) {
  for (const Value& value : {Value::of(7), Value::of(-1), Value::of(std::string("7")),
                             Value::of(std::string("\"\\\n é <b>")), Value::of(std::string())})
    EXPECT_EQ(value_of_text(text_of(value)), value) << to_string(value);
}

TEST(ValueText, WhatIsNoJsonIsAString) {
  EXPECT_EQ(value_of_text("{oops"), Value::of(std::string("{oops")));
  const std::string deep(100'000, '[');
  EXPECT_EQ(value_of_text(deep), Value::of(deep));
}

TEST(ValueText, ElementsEndWithCommas) {
  EXPECT_THAT(elements_of_text(""), ElementsAre());
  EXPECT_THAT(elements_of_text("1,2,"), ElementsAre(Value::of(1), Value::of(2)));
  EXPECT_THAT(elements_of_text("1,2"), ElementsAre(Value::of(1), Value::of(2)));
}

TEST(Base64, IsThatOfTheStandard) {
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(base64_of("f"), "Zg==");
  EXPECT_EQ(base64_of("fo"), "Zm8=");
  EXPECT_EQ(base64_of("foobar"), "Zm9vYmFy");
  for (std::size_t size = 0; size < 40; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 89 + size);
    EXPECT_EQ(from_base64(base64_of(bytes)), bytes);
  }
}

TEST(FillIn, LeavesAloneWhatItDoesNotKnow) {
  const Placeholders known = {{"key", "r1"}, {"value", "{key}"}};
  EXPECT_EQ(fill_in("/kv/{key}?v={value}&{other}{", known), "/kv/r1?v={key}&{other}{");
  EXPECT_EQ(fill_in("{\"key\":{key}}", known), "{\"key\":r1}");
}

TEST(ParseUntrusted, RefusesWhatIsNestedTooDeep) {
  EXPECT_FALSE(parse_untrusted("[[1]]").is_discarded());
  EXPECT_FALSE(parse_untrusted("\"" + std::string(100, '[') + "\"").is_discarded());
  EXPECT_TRUE(parse_untrusted(std::string(1'000'000, '[')).is_discarded());
  EXPECT_TRUE(parse_untrusted("{").is_discarded());
}

TEST(Settings, AreCheckedByNameAndValue) {
  const std::vector<StoreSetting> known = {
      {"reads", "a", {"a", "b"}, StoreSetting::Kind::choice, "", ""},
      {"wait", "0", {}, StoreSetting::Kind::number, "", ""}};
  EXPECT_TRUE(check_settings("s", {{"reads", "b"}, {"wait", "3"}}, known));
  EXPECT_THAT(check_settings("s", {{"raeds", "b"}}, known).error().message,
              HasSubstr("did you mean \"reads\""));
  EXPECT_THAT(check_settings("s", {{"reads", "c"}}, known).error().message,
              HasSubstr("known: a, b"));
  EXPECT_THAT(check_settings("s", {{"wait", "x"}}, known).error().message,
              HasSubstr("whole number"));
}

TEST(Words, AreWhatStandsBetweenSpaces) {
  EXPECT_THAT(words_in("  python3  a.py "), ElementsAre("python3", "a.py"));
  EXPECT_THAT(words_in(""), ElementsAre());
}

TEST(Endpoint, IsHostAndPort) {
  EXPECT_EQ(Endpoint::parse("10.0.0.1:80")->text(), "10.0.0.1:80");
  EXPECT_TRUE(Endpoint::parse("localhost:1")->is_loopback());
  EXPECT_FALSE(Endpoint::parse("10.0.0.1:80")->is_loopback());
  for (const char* bad : {"", "host", "host:", ":1", "host:0", "host:65536", "host:1x"})
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
}

/// A server that says the pieces, one after the other, to the first who comes.
class Speaker {
 public:
  explicit Speaker(std::vector<std::string> pieces) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(*listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(*listener_, 1);
    getsockname(*listener_, reinterpret_cast<sockaddr*>(&address), &size);
    node = {"127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::jthread([this, pieces = std::move(pieces)] {
      const Descriptor client(accept(*listener_, nullptr, nullptr));
      for (const std::string& piece : pieces) {
        (void)!send(*client, piece.data(), piece.size(), MSG_NOSIGNAL);
        pause_for(2 * kMillisecond);
      }
    });
  }

  Endpoint node;

 private:
  Descriptor listener_;
  std::jthread thread_;
};

TEST(TextConnection, ReadsDocumentsHoweverTheyAreCut) {
  const Speaker speaker({"{\"a\":\"}\\\"", "{\"}", "[1,[2]", "]  {", "}"});
  TextConnection connection;
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  ASSERT_TRUE(connection.open(speaker.node, deadline));
  EXPECT_EQ(connection.receive_json(deadline), "{\"a\":\"}\\\"{\"}");
  EXPECT_EQ(connection.receive_json(deadline), "[1,[2]]");
  EXPECT_EQ(connection.receive_json(deadline), "  {}");
  EXPECT_EQ(connection.receive_json(deadline), std::nullopt);  // the other end is gone
  EXPECT_FALSE(connection.is_open());
}

TEST(TextConnection, GivesUpAtTheDeadline) {
  const Speaker speaker({"no end of li"});
  TextConnection connection;
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  ASSERT_TRUE(connection.open(speaker.node, deadline));
  EXPECT_EQ(connection.receive_line(monotonic_now() + 20 * kMillisecond), std::nullopt);
}

}  // namespace
}  // namespace consistory
