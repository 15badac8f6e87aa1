// cas: registers that are read, written and swapped: "from what was proposed for it last to
// something new". Between sessions that race for the same register some swaps meet what they
// expect, others do not; either answer shows what the register held at that moment.
#include "workloads/workload.h"
#include "workloads/written_keys.h"

namespace consistory {
namespace {

constexpr double kSwaps = 0.6;   // of updates
constexpr double kStale = 0.15;  // of swaps: they expect what was proposed before the last

class CasGenerator final : public Generator {
 public:
  explicit CasGenerator(const WorkloadOptions& options)
      : read_ratio_(options.read_ratio), keys_('c', options.keys), proposed_(options.keys) {}

  Invocation next(std::size_t, Random& random) override {
    const std::size_t key = skewed(random, keys_.count());
    if (random.chance(read_ratio_)) return {Function::read, keys_.name(key), {}};
    Proposed& proposed = proposed_[key];
    const std::int64_t expected = random.chance(kStale) ? proposed.before : proposed.last;
    proposed.before = proposed.last;
    proposed.last = ++last_value_;
    const bool swaps = expected > 0 && random.chance(kSwaps);
    keys_.mark(key);
    if (!swaps) return {Function::write, keys_.name(key), Value::of(last_value_)};
    return {Function::cas, keys_.name(key), Value::of(last_value_), Value::of(expected)};
  }

  std::vector<std::string> keys() const override { return keys_.names(); }

 private:
  /// Of a register; 0: nothing yet.
  struct Proposed {
    std::int64_t last = 0;
    std::int64_t before = 0;
  };

  double read_ratio_;
  WrittenKeys keys_;
  std::vector<Proposed> proposed_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_cas_generator(const WorkloadOptions& options) {
  return std::make_unique<CasGenerator>(options);
}

}  // namespace consistory
