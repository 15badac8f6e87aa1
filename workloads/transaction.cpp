// transaction: transactions of one to four steps, each an append of a unique element to a list, or
// a read of one, over a few lists that are contended. Lists show the order of their appends, so
// every anomaly between transactions can be told (Kingsbury and Alvaro 2020). A full list is
// retired for a fresh one.
#include <fmt/format.h>

#include <algorithm>

#include "workloads/workload.h"

namespace consistory {
namespace {

constexpr std::size_t kStepsMax = 4;

class TransactionGenerator final : public Generator {
 public:
  explicit TransactionGenerator(const WorkloadOptions& options) : options_(options) {
    for (std::size_t i = 0; i < options.keys; ++i) open_.push_back({created_++, 0});
  }

  Invocation next(std::size_t, Random& random) override {
    Invocation transaction;
    const std::size_t steps = 1 + random.below(kStepsMax);
    while (transaction.steps.size() < steps) transaction.steps.push_back(step(random));
    return transaction;
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (std::size_t number = 0; number < created_; ++number) names.push_back(name(number));
    return names;
  }

 private:
  struct List {
    std::size_t number;
    std::size_t appended;
  };

  static std::string name(std::size_t number) { return fmt::format("t{}", number); }

  TransactionStep step(Random& random) {
    List& list = open_[skewed(random, open_.size())];
    if (random.chance(options_.read_ratio)) return {false, name(list.number), {}};
    TransactionStep append{true, name(list.number), Value::of(++last_value_)};
    if (++list.appended >= options_.list_length_max) list = {created_++, 0};
    return append;
  }

  WorkloadOptions options_;
  std::vector<List> open_;
  std::size_t created_ = 0;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_transaction_generator(const WorkloadOptions& options) {
  return std::make_unique<TransactionGenerator>(options);
}

}  // namespace consistory
