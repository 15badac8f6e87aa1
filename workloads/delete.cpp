// delete: as register, but every fourth update removes the key. Many keys, so that the last update
// of some of them is a removal that other updates were concurrent with.
#include <fmt/format.h>

#include "workloads/workload.h"

namespace consistory {
namespace {

constexpr std::size_t kKeysFor = 6;  // per key of the options

class DeleteGenerator final : public Generator {
 public:
  explicit DeleteGenerator(const WorkloadOptions& options)
      : options_(options), written_(options.keys * kKeysFor, false) {}

  Invocation next(Random& random) override {
    const std::size_t key = random.below(written_.size());
    const std::string name = fmt::format("d{}", key);
    if (random.chance(options_.read_ratio)) return {Function::read, name, {}};
    written_[key] = true;
    if (random.chance(0.25)) return {Function::remove, name, {}};
    return {Function::write, name, Value::of(++last_value_)};
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (std::size_t key = 0; key < written_.size(); ++key) {
      if (written_[key]) names.push_back(fmt::format("d{}", key));
    }
    return names;
  }

 private:
  WorkloadOptions options_;
  std::vector<bool> written_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_delete_generator(const WorkloadOptions& options) {
  return std::make_unique<DeleteGenerator>(options);
}

}  // namespace consistory
