// register: reads and writes of a few registers; every written value is unique.
#include <fmt/format.h>

#include "workloads/workload.h"

namespace consistory {
namespace {

class RegisterGenerator final : public Generator {
 public:
  explicit RegisterGenerator(const WorkloadOptions& options)
      : options_(options), written_(options.keys, false) {}

  Invocation next(Random& random) override {
    const std::size_t key = skewed(random, options_.keys);
    const std::string name = fmt::format("r{}", key);
    if (random.chance(options_.read_ratio)) return {Function::read, name, {}};
    written_[key] = true;
    return {Function::write, name, Value::of(++last_value_)};
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (std::size_t key = 0; key < written_.size(); ++key) {
      if (written_[key]) names.push_back(fmt::format("r{}", key));
    }
    return names;
  }

 private:
  WorkloadOptions options_;
  std::vector<bool> written_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_register_generator(const WorkloadOptions& options) {
  return std::make_unique<RegisterGenerator>(options);
}

}  // namespace consistory
