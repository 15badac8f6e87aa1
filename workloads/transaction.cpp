// transaction: transactions of one to four steps, each an append of a unique element to a list, or
// a read of one, over a few lists that are contended. Lists show the order of their appends, so
// every anomaly between transactions can be told (Kingsbury and Alvaro 2020).
#include "workloads/filling_keys.h"
#include "workloads/workload.h"

namespace consistory {
namespace {

constexpr std::size_t kStepsMax = 4;

class TransactionGenerator final : public Generator {
 public:
  explicit TransactionGenerator(const WorkloadOptions& options)
      : options_(options), lists_('t', options, options.list_length_max) {}

  Invocation next(std::size_t, Random& random) override {
    Invocation transaction;
    const std::size_t steps = 1 + random.below(kStepsMax);
    while (transaction.steps.size() < steps) transaction.steps.push_back(step(random));
    return transaction;
  }

  std::vector<std::string> keys() const override { return lists_.names(); }

 private:
  TransactionStep step(Random& random) {
    const std::size_t list = lists_.pick(random);
    if (random.chance(options_.read_ratio)) return {false, lists_.name(list), {}};
    const TransactionStep append{true, lists_.name(list), Value::of(++last_value_)};
    lists_.update(list);
    return append;
  }

  WorkloadOptions options_;
  FillingKeys lists_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_transaction_generator(const WorkloadOptions& options) {
  return std::make_unique<TransactionGenerator>(options);
}

}  // namespace consistory
