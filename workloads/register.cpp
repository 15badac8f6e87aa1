// register: reads and writes of a few registers; every written value is unique.
//
// delete: the same over many registers, and every fourth update removes the key, so that the last
// update of some keys is a removal that other updates were concurrent with.
#include "workloads/workload.h"
#include "workloads/written_keys.h"

namespace consistory {
namespace {

constexpr std::size_t kDeletedKeysFor = 6;  // per key of the options
constexpr double kRemovals = 0.25;

class RegisterGenerator final : public Generator {
 public:
  RegisterGenerator(const WorkloadOptions& options, bool removes)
      : read_ratio_(options.read_ratio),
        removes_(removes),
        keys_(removes ? 'd' : 'r', options.keys * (removes ? kDeletedKeysFor : 1)) {}

  Invocation next(std::size_t, Random& random) override {
    const std::size_t key = removes_ ? random.below(keys_.count()) : skewed(random, keys_.count());
    if (random.chance(read_ratio_)) return {Function::read, keys_.name(key), {}};
    keys_.mark(key);
    if (removes_ && random.chance(kRemovals)) return {Function::remove, keys_.name(key), {}};
    return {Function::write, keys_.name(key), Value::of(++last_value_)};
  }

  std::vector<std::string> keys() const override { return keys_.names(); }

 private:
  double read_ratio_;
  bool removes_;
  WrittenKeys keys_;
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
