// set and counter: things are added to a few keys, in no order that anybody sees, and read.
// Increments are distinct powers of four, so that a sum tells which of them it counts, and how
// often.
#include <algorithm>

#include "workloads/filling_keys.h"
#include "workloads/workload.h"

namespace consistory {
namespace {

/// 4^26 is the last that programs whose numbers are doubles keep apart from its neighbours.
constexpr std::size_t kIncrementsMax = 26;

class AdditionGenerator final : public Generator {
 public:
  AdditionGenerator(const WorkloadOptions& options, Function function, FillingKeys keys)
      : options_(options), function_(function), keys_(std::move(keys)) {}

  Invocation next(std::size_t, Random& random) override {
    const std::size_t key = keys_.pick(random);
    if (random.chance(options_.read_ratio) || keys_.is_full(key))
      return {Function::read, keys_.read_target(key, random), {}};
    const std::int64_t value = function_ == Function::increment
                                   ? std::int64_t{1} << 2 * keys_.updates(key)
                                   : ++last_value_;
    const Invocation addition{function_, keys_.name(key), Value::of(value)};
    keys_.update(key);
    return addition;
  }

  std::vector<std::string> keys() const override { return keys_.names(); }

 private:
  WorkloadOptions options_;
  Function function_;
  FillingKeys keys_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_set_generator(const WorkloadOptions& options) {
  return std::make_unique<AdditionGenerator>(options, Function::add,
                                             FillingKeys('s', options, options.list_length_max));
}

std::unique_ptr<Generator> make_counter_generator(const WorkloadOptions& options) {
  const std::size_t full = std::min(options.list_length_max, kIncrementsMax);
  return std::make_unique<AdditionGenerator>(options, Function::increment,
                                             FillingKeys('c', options, full));
}

}  // namespace consistory
