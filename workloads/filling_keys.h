#pragma once
// FillingKeys: keys that grow with every update (lists, sets, counters), so that none may grow for
// ever. A full key is retired: a fresh one takes its place for updates, while reads go on for a
// while, because late readers are what old keys need.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "workloads/workload.h"

namespace consistory {

/// Places 0…options.keys - 1 hold one open key each.
class FillingKeys {
 public:
  /// A key is full after `full` updates.
  FillingKeys(char prefix, const WorkloadOptions& options, std::size_t full)
      : prefix_(prefix), full_(full), retires_(!options.one_object) {
    for (std::size_t i = 0; i < options.keys; ++i) open_.push_back({created_++, 0});
  }

  std::size_t pick(Random& random) const { return skewed(random, open_.size()); }
  std::string name(std::size_t place) const { return name_of(open_[place].number); }
  std::size_t updates(std::size_t place) const { return open_[place].updates; }
  /// Only where nothing can be retired: a store that has one object.
  bool is_full(std::size_t place) const { return open_[place].updates >= full_; }

  /// Mostly the open key; now and then one of the last few that were retired.
  std::string read_target(std::size_t place, Random& random) const {
    if (used_.empty() || !random.chance(0.1)) return name(place);
    const std::size_t recent = std::min(used_.size(), 2 * open_.size());
    return name_of(used_[used_.size() - 1 - random.below(recent)]);
  }

  void update(std::size_t place) {
    Key& key = open_[place];
    if (key.updates++ == 0) used_.push_back(key.number);
    if (is_full(place) && retires_) key = {created_++, 0};
  }

  /// Of those that were updated.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const std::size_t number : used_) names.push_back(name_of(number));
    return names;
  }

 private:
  struct Key {
    std::size_t number;
    std::size_t updates;
  };

  std::string name_of(std::size_t number) const { return fmt::format("{}{}", prefix_, number); }

  char prefix_;
  std::size_t full_;
  bool retires_;
  std::vector<Key> open_;
  std::vector<std::size_t> used_;
  std::size_t created_ = 0;
};

}  // namespace consistory
