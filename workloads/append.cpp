// append: unique elements appended to a few lists, and reads of them. A list shows the order of its
// updates, so every session guarantee can be seen to break.
#include "workloads/filling_keys.h"
#include "workloads/workload.h"

namespace consistory {
namespace {

class AppendGenerator final : public Generator {
 public:
  explicit AppendGenerator(const WorkloadOptions& options)
      : options_(options), lists_('l', options, options.list_length_max) {}

  Invocation next(std::size_t, Random& random) override {
    const std::size_t list = lists_.pick(random);
    if (random.chance(options_.read_ratio) || lists_.is_full(list))
      return {Function::read, lists_.read_target(list, random), {}};
    const Invocation append{Function::append, lists_.name(list), Value::of(++last_value_)};
    lists_.update(list);
    return append;
  }

  std::vector<std::string> keys() const override { return lists_.names(); }

 private:
  WorkloadOptions options_;
  FillingKeys lists_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_append_generator(const WorkloadOptions& options) {
  return std::make_unique<AppendGenerator>(options);
}

}  // namespace consistory
