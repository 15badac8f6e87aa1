#include "harness/run/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace consistory {
namespace {

using testing::HasSubstr;

TEST(Plan, DefaultsAreTheStrongStoreUnderPartitionAndKill) {
  const auto plan = make_plan({});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->promised, testing::ElementsAre("linearizable", "strong-eventual"));
  EXPECT_EQ(plan->workloads.size(), 2U);
  EXPECT_GE(plan->schedule.size(), 4U);
}

TEST(Plan, TheSameSeedGivesTheSameSchedule) {
  RunArguments arguments;
  arguments.seed = "42";
  const auto a = make_plan(arguments), b = make_plan(arguments);
  ASSERT_TRUE(a && b);
  ASSERT_EQ(a->schedule.size(), b->schedule.size());
  for (std::size_t i = 0; i < a->schedule.size(); ++i) {
    EXPECT_EQ(a->schedule[i].at, b->schedule[i].at);
    EXPECT_EQ(a->schedule[i].spec.name(), b->schedule[i].spec.name());
  }
}

TEST(Plan, LeavesOutWhatTheStoreCannotDoAndSaysSo) {
  RunArguments arguments;
  arguments.store_settings = {{"protocol", "quorum"}};
  const auto plan = make_plan(arguments);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->workloads.size(), 1U);
  EXPECT_THAT(plan->left_out.at(0), HasSubstr("append"));
}

TEST(Plan, TheRerunCommandNamesTheSeedAndEverySetting) {
  RunArguments arguments;
  arguments.seed = "7";
  arguments.store_settings = {{"protocol", "quorum"}, {"R", "3"}};
  arguments.require = {"causal"};
  const auto plan = make_plan(arguments);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->command, "./consistory run ref --protocol quorum -R 3 --require causal --seed 7");
}

TEST(Plan, ALeaseIsNotClaimedWhereClocksMove) {
  RunArguments arguments;
  arguments.store_settings = {{"protocol", "raft"}, {"reads", "lease"}};
  EXPECT_THAT(make_plan(arguments)->promised, testing::Contains("linearizable"));
  arguments.faults = {"clock:skew"};
  EXPECT_THAT(make_plan(arguments)->promised, testing::ElementsAre("strong-eventual"));
}

TEST(Plan, RefusesWhatMakesNoSense) {
  const auto error = [](void (*change)(RunArguments&)) {
    RunArguments arguments;
    change(arguments);
    const auto plan = make_plan(arguments);
    return plan ? std::string() : plan.error().message;
  };
  EXPECT_THAT(error([](RunArguments& a) { a.nodes = 1; }), HasSubstr("at least two --nodes"));
  EXPECT_THAT(error([](RunArguments& a) { a.store = "etdc"; }), HasSubstr("unknown store"));
  EXPECT_THAT(error([](RunArguments& a) { a.sessions = "moving?"; }),
              HasSubstr("did you mean \"moving\""));
  EXPECT_THAT(error([](RunArguments& a) { a.op_timeout = "1ms"; }), HasSubstr("--op-timeout"));
  EXPECT_THAT(error([](RunArguments& a) {
                a.store_settings = {{"W", "two"}};
              }),
              HasSubstr("whole number"));
}

TEST(Plan, TransactionsAreRefusedWhereThereAreNoneAndBesideOtherWorkloads) {
  RunArguments arguments;
  arguments.workloads = {"transaction"};
  const auto none = make_plan(arguments);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, testing::HasSubstr("does not support transactions"));
}

TEST(Plan, HostsAndEndpointsComeInPairs) {
  RunArguments arguments;
  arguments.endpoints = {"127.0.0.1:7000", "127.0.0.1:7001"};
  arguments.yes_write = true;
  arguments.hosts = {"root@db1"};
  EXPECT_THAT(make_plan(arguments).error().message,
              testing::HasSubstr("1 --host for 2 --endpoint"));
  arguments.hosts = {"root@db1", "-oProxyCommand=x"};
  EXPECT_THAT(make_plan(arguments).error().message, testing::HasSubstr("--host must be a host"));
  arguments.hosts = {};
  arguments.ground = "ssh";
  EXPECT_THAT(make_plan(arguments).error().message, testing::HasSubstr("--ground ssh: say where"));
}

}  // namespace
}  // namespace consistory
