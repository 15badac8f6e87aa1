// What the helper does to a process of this machine that listens on loopback.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "harness/cluster/child_process.h"
#include "harness/cluster/relay.h"
#include "harness/hosts/host_address.h"
#include "harness/hosts/served_process.h"
#include "harness/processes/processes.h"
#include "harness/stores/installed.h"

namespace consistory {
namespace {

using testing::HasSubstr;

constexpr const char* kListen =
    "import socket,sys,time\n"
    "s = socket.socket()\n"
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
    "s.bind(('127.0.0.1', int(sys.argv[1])))\n"
    "s.listen()\n"
    "time.sleep(600)\n";

class Served : public ::testing::Test {
 protected:
  Served() : port_(*free_port()), process_(port_, "") {}
  ~Served() override {
    const auto left = process_.find();
    if (left && *left) ::kill(**left, SIGKILL);
  }

  /// A program that listens, with its pid.
  pid_t listen() {
    auto child = ChildProcess::spawn(
        {find_program("python3"), {"-c", kListen, std::to_string(port_)}}, "/dev/null");
    EXPECT_TRUE(child);
    children_.push_back(std::move(*child));
    return children_.back().pid();
  }

  std::optional<pid_t> await_one() {
    const Nanos deadline = monotonic_now() + 10 * kSecond;
    for (;;) {
      const auto found = process_.find();
      if ((found && *found) || monotonic_now() > deadline)
        return found ? *found : std::optional<pid_t>();
      pause_for(5 * kMillisecond);
    }
  }

  unsigned short port_;
  ServedProcess process_;
  std::vector<ChildProcess> children_;
};

TEST_F(Served, IsFoundStoppedContinuedKilledAndStartedAsItWas) {
  EXPECT_FALSE(*process_.find());
  const pid_t first = listen();
  ASSERT_EQ(await_one(), first);
  EXPECT_EQ(Launch::doubt_about(first), "");
  EXPECT_EQ(*process_.stop(), "T (stopped)");
  EXPECT_EQ(state_of(first), 'T');
  process_.go_on();
  EXPECT_NE(state_of(first), 'T');
  EXPECT_EQ(*process_.kill(), "killed by signal 9");
  EXPECT_FALSE(*process_.find());
  EXPECT_EQ(*process_.kill(), "");  // there is none any more
  ASSERT_TRUE(process_.start());
  const std::optional<pid_t> again = await_one();
  ASSERT_TRUE(again);
  EXPECT_NE(*again, first);
  EXPECT_EQ(Launch::of(*again)->arguments[1], "-c");
  EXPECT_EQ(Launch::of(*again)->directory, std::filesystem::current_path());
}

TEST_F(Served, RestoringStartsWhatWasKilled) {
  listen();
  ASSERT_TRUE(await_one());
  ASSERT_TRUE(process_.kill());
  process_.restore();
  EXPECT_TRUE(await_one());
}

TEST_F(Served, TwoThatListenAreNotTakenForOne) {
  listen();
  ASSERT_TRUE(await_one());
  listen();
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  while (process_.find() && monotonic_now() < deadline) pause_for(5 * kMillisecond);
  EXPECT_THAT(process_.find().error().message, HasSubstr("both listen on port"));
  EXPECT_FALSE(process_.kill());
}

TEST(Launch, WhatCannotBeStartedAgainSaysWhy) {
  Launch launch = *Launch::of(getpid());
  launch.program = "/no/such/program";
  EXPECT_THAT(launch.start().error().message, HasSubstr("No such file"));
}

TEST(HostAddress, IsAsSshTakesIt) {
  EXPECT_EQ(HostAddress::parse("root@db1:2222")->login, "root@db1");
  EXPECT_EQ(HostAddress::parse("root@db1:2222")->port, 2222);
  EXPECT_EQ(HostAddress::parse("root@db1")->host(), "db1");
  for (const char* bad : {"", "-oProxyCommand=x", "root@-x", "a b", "db1:0", "db1:x", "[::1]:22"})
    EXPECT_FALSE(HostAddress::parse(bad)) << bad;
}

}  // namespace
}  // namespace consistory
