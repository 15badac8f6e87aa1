// register: reads and writes of a few registers; every written value is unique.
//
// delete: the same over many registers, and every fourth update removes the key, so that the last
// update of some keys is a removal that other updates were concurrent with.
#include <fmt/format.h>

#include "workloads/workload.h"

namespace consistory {
namespace {

constexpr std::size_t kDeletedKeysFor = 6;  // per key of the options
constexpr double kRemovals = 0.25;

class RegisterGenerator final : public Generator {
 public:
  RegisterGenerator(const WorkloadOptions& options, bool removes)
      : options_(options),
        removes_(removes),
        written_(options.keys * (removes ? kDeletedKeysFor : 1), false) {}

  Invocation next(std::size_t, Random& random) override {
    const std::size_t key =
        removes_ ? random.below(written_.size()) : skewed(random, written_.size());
    if (random.chance(options_.read_ratio)) return {Function::read, name_of_key(key), {}};
    written_[key] = true;
    if (removes_ && random.chance(kRemovals)) return {Function::remove, name_of_key(key), {}};
    return {Function::write, name_of_key(key), Value::of(++last_value_)};
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (std::size_t key = 0; key < written_.size(); ++key) {
      if (written_[key]) names.push_back(name_of_key(key));
    }
    return names;
  }

 private:
  std::string name_of_key(std::size_t key) const {
    return fmt::format("{}{}", removes_ ? 'd' : 'r', key);
  }

  WorkloadOptions options_;
  bool removes_;
  std::vector<bool> written_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_register_generator(const WorkloadOptions& options) {
  return std::make_unique<RegisterGenerator>(options, false);
}

std::unique_ptr<Generator> make_delete_generator(const WorkloadOptions& options) {
  return std::make_unique<RegisterGenerator>(options, true);
}

}  // namespace consistory
