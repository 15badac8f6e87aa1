#include "workloads/workload.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace consistory {
namespace {

class EveryWorkload : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryWorkload, WritesUniqueValuesContendsAndRepeats) {
  const Workload* workload = *find_workload(GetParam());
  const auto a = workload->make({}), b = workload->make({});
  Random random_a(3), random_b(3);
  std::set<std::pair<std::string, Value>> written;
  std::map<std::string, int> uses;
  for (int i = 0; i < 2000; ++i) {
    const std::size_t session = static_cast<std::size_t>(i) % 7;
    const Invocation one = a->next(session, random_a), same = b->next(session, random_b);
    EXPECT_EQ(one.key, same.key);
    EXPECT_EQ(one.value, same.value);
    ++uses[one.key];
    if (one.function == Function::read || one.function == Function::remove) continue;
    EXPECT_TRUE(written.insert({one.key, one.value}).second);
  }
  for (const auto& [key, value] : written) {
    const auto keys = a->keys();
    EXPECT_NE(std::find(keys.begin(), keys.end(), key), keys.end()) << key;
  }
  EXPECT_GT(written.size(), 200U);
  EXPECT_GE(uses.size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(All, EveryWorkload,
                         testing::Values("register", "append", "cas", "delete", "set", "counter",
                                         "overtake", "revise"));

TEST(Additions, OfAStoreWithoutKeysStopWhenItIsFull) {
  WorkloadOptions options;
  options.keys = 1;
  options.one_object = true;
  for (const auto make : {make_set_generator, make_counter_generator}) {
    const auto generator = make(options);
    Random random(5);
    std::size_t added = 0;
    for (std::size_t i = 0; i < 2000; ++i)
      added += generator->next(i % 7, random).function == Function::read ? 0 : 1;
    EXPECT_EQ(generator->keys().size(), 1U);
    EXPECT_TRUE(added == 40 || added == 26) << added;
  }
}

TEST(Cas, MostSwapsExpectWhatWasProposedLast) {
  const auto generator = make_cas_generator({});
  Random random(5);
  std::map<std::string, Value> last;
  int swaps = 0, hopeful = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    const Invocation next = generator->next(i % 7, random);
    if (next.function == Function::read) continue;
    swaps += next.function == Function::cas ? 1 : 0;
    hopeful += next.function == Function::cas && next.expected == last[next.key] ? 1 : 0;
    last[next.key] = next.value;
  }
  EXPECT_GT(swaps, 400);
  EXPECT_GT(hopeful, swaps * 7 / 10);
  EXPECT_LT(hopeful, swaps);
}

TEST(Transaction, StepsAreUniqueAppendsAndReadsOfListsThatAreRetired) {
  WorkloadOptions options;
  options.list_length_max = 10;
  const auto generator = make_transaction_generator(options);
  Random random(7);
  std::set<Value> appended;
  std::map<std::string, std::size_t> lengths;
  std::size_t reads = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const Invocation transaction = generator->next(i % 7, random);
    EXPECT_GE(transaction.steps.size(), 1U);
    EXPECT_LE(transaction.steps.size(), 4U);
    for (const TransactionStep& step : transaction.steps) {
      reads += step.appends ? 0 : 1;
      if (!step.appends) continue;
      EXPECT_TRUE(appended.insert(step.value).second);
      EXPECT_LE(++lengths[step.key], options.list_length_max);
    }
  }
  EXPECT_GT(reads, 700U);
  EXPECT_GT(appended.size(), 700U);
  EXPECT_GE(generator->keys().size(), lengths.size());
}

TEST(FindWorkload, SuggestsNearNames) {
  EXPECT_NE(find_workload("apend").error().message.find("did you mean \"append\""),
            std::string::npos);
}

}  // namespace
}  // namespace consistory
