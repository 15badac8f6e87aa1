#include "base/parallel.h"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <vector>

namespace consistory {
namespace {

struct Workers {
  explicit Workers(std::size_t count) { set_worker_count(count); }
  ~Workers() { set_worker_count(0); }
};

TEST(Parallel, EveryPartOnceWhateverTheWorkers) {
  for (const std::size_t workers : {1, 2, 4, 9}) {
    const Workers set(workers);
    std::vector<int> calls(1000, 0);
    in_parallel(calls.size(), [&](std::size_t number, std::size_t worker) {
      EXPECT_LT(worker, workers);
      ++calls[number];
    });
    EXPECT_EQ(std::accumulate(calls.begin(), calls.end(), 0), 1000);
    EXPECT_EQ(*std::max_element(calls.begin(), calls.end()), 1);
  }
}

TEST(Parallel, NothingToDo) {
  in_parallel(0, [](std::size_t, std::size_t) { FAIL(); });
}

TEST(Parallel, ThrowsTheFirstFailureByNumber) {
  const Workers set(4);
  const auto run = [] {
    in_parallel(100, [](std::size_t number, std::size_t) {
      if (number % 10 == 7) throw std::runtime_error(std::to_string(number));
    });
  };
  EXPECT_THROW(run(), std::runtime_error);
  try {
    run();
  } catch (const std::runtime_error& failure) {
    EXPECT_STREQ(failure.what(), "7");
  }
}

}  // namespace
}  // namespace consistory
