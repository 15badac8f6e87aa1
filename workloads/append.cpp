// append: unique elements appended to a few lists, and reads of them. A list shows the order of its
// updates, so every session guarantee can be seen to break. A full list is retired: a fresh one
// takes its place for appends, while reads go on for a while, because late readers are what old
// lists need.
#include <fmt/format.h>

#include "workloads/workload.h"

namespace consistory {
namespace {

class AppendGenerator final : public Generator {
 public:
  explicit AppendGenerator(const WorkloadOptions& options) : options_(options) {
    for (std::size_t i = 0; i < options.keys; ++i) open_.push_back({created_++, 0});
  }

  Invocation next(std::size_t, Random& random) override {
    List& list = open_[skewed(random, open_.size())];
    if (random.chance(options_.read_ratio))
      return {Function::read, name(read_target(list, random)), {}};
    const Invocation append{Function::append, name(list.number), Value::of(++last_value_)};
    if (list.appended++ == 0) used_.push_back(list.number);
    if (list.appended >= options_.list_length_max) list = {created_++, 0};
    return append;
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (const std::size_t number : used_) names.push_back(name(number));
    return names;
  }

 private:
  struct List {
    std::size_t number;
    std::size_t appended;
  };

  static std::string name(std::size_t number) { return fmt::format("l{}", number); }

  /// Mostly the open list; now and then one of the last few that were retired.
  std::size_t read_target(const List& list, Random& random) const {
    if (used_.empty() || !random.chance(0.1)) return list.number;
    const std::size_t recent = std::min(used_.size(), 2 * options_.keys);
    return used_[used_.size() - 1 - random.below(recent)];
  }

  WorkloadOptions options_;
  std::vector<List> open_;
  std::vector<std::size_t> used_;
  std::size_t created_ = 0;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_append_generator(const WorkloadOptions& options) {
  return std::make_unique<AppendGenerator>(options);
}

}  // namespace consistory
