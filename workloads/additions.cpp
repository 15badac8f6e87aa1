// set and counter: things are added to a few keys, in no order that anybody sees, and read. A full
// key is retired for a fresh one, while late readers go on for a while, as with lists. Increments
// are distinct powers of four, so that a sum tells which of them it counts, and how often.
#include <fmt/format.h>

#include <algorithm>

#include "workloads/workload.h"

namespace consistory {
namespace {

/// 4^26 is the last that programs whose numbers are doubles keep apart from its neighbours.
constexpr std::size_t kIncrementsMax = 26;

class AdditionGenerator final : public Generator {
 public:
  AdditionGenerator(const WorkloadOptions& options, Function function)
      : options_(options),
        function_(function),
        full_(function == Function::increment ? std::min(options.list_length_max, kIncrementsMax)
                                              : options.list_length_max) {
    for (std::size_t i = 0; i < options.keys; ++i) open_.push_back({created_++, 0});
  }

  Invocation next(std::size_t, Random& random) override {
    Key& key = open_[skewed(random, open_.size())];
    const bool reads = random.chance(options_.read_ratio) || key.added >= full_;
    if (reads) return {Function::read, name(read_target(key, random)), {}};
    const std::int64_t value = function_ == Function::increment
                                   ? std::int64_t{1} << 2 * key.added
                                   : static_cast<std::int64_t>(++last_value_);
    const Invocation addition{function_, name(key.number), Value::of(value)};
    if (key.added++ == 0) used_.push_back(key.number);
    if (key.added >= full_ && !options_.one_object) key = {created_++, 0};
    return addition;
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (const std::size_t number : used_) names.push_back(name(number));
    return names;
  }

 private:
  struct Key {
    std::size_t number;
    std::size_t added;
  };

  std::string name(std::size_t number) const {
    return fmt::format("{}{}", function_ == Function::increment ? 'c' : 's', number);
  }

  /// Mostly the open key; now and then one of the last few that were retired.
  std::size_t read_target(const Key& key, Random& random) const {
    if (used_.empty() || !random.chance(0.1)) return key.number;
    const std::size_t recent = std::min(used_.size(), 2 * options_.keys);
    return used_[used_.size() - 1 - random.below(recent)];
  }

  WorkloadOptions options_;
  Function function_;
  std::size_t full_;
  std::vector<Key> open_;
  std::vector<std::size_t> used_;
  std::size_t created_ = 0;
  std::size_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_set_generator(const WorkloadOptions& options) {
  return std::make_unique<AdditionGenerator>(options, Function::add);
}

std::unique_ptr<Generator> make_counter_generator(const WorkloadOptions& options) {
  return std::make_unique<AdditionGenerator>(options, Function::increment);
}

}  // namespace consistory
