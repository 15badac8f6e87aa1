#include "harness/processes/processes.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness/processes/tool.h"

namespace consistory {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(Processes, TheTreeHoldsChildrenAndStatesFollowSignals) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  EXPECT_EQ(parent_of(child), getpid());
  EXPECT_THAT(process_tree(getpid()), Contains(child));
  EXPECT_THAT(all_processes(), Contains(child));
  kill(child, SIGSTOP);
  const Nanos deadline = monotonic_now() + 5 * kSecond;
  while (state_of(child) != 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  EXPECT_EQ(state_of(child), 'T');
  kill(child, SIGKILL);
  while (is_running(child) && monotonic_now() < deadline) pause_for(kMillisecond);
  EXPECT_EQ(state_of(child), 'Z');
  waitpid(child, nullptr, 0);
  EXPECT_EQ(state_of(child), '?');
  EXPECT_EQ(parent_of(child), 0);
}

TEST(Tool, GivesInputAndReturnsOutput) {
  const auto output = run_tool({"cat", "coreutils", {}}, "one\ntwo\n");
  ASSERT_TRUE(output);
  EXPECT_EQ(*output, "one\ntwo");
}

TEST(Tool, WhatItSaysWhenItFailsIsTheError) {
  const auto failed = run_tool({"sh", "dash", {"-c", "echo this went wrong >&2; exit 3"}}, "");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("sh says: this went wrong"));
}

TEST(Tool, OneThatIsMissingIsNamedWithItsPackage) {
  const auto missing = run_tool({"no-such-tool-at-all", "some-package", {}}, "");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("apt-get install some-package"));
}

}  // namespace
}  // namespace consistory
