// swizzle: nodes are cut off from all others one by one, and joined again one by one in another
// order (after the fault of that name in FoundationDB's simulator). So the cluster goes through
// many partitions, and few of its members share the same past. Evidence is what the cut links held
// back.
#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

constexpr Nanos kStep = 250 * kMillisecond;

class Swizzle final : public Fault {
 public:
  Result<std::string> inject(Controls& controls, Random& random) override {
    const std::size_t most = controls.node_count() - 1;  // one at least stays, to be missed
    const std::size_t count = most < 2 ? most : 2 + random.below(most - 1);
    targets_ = draw_nodes(controls, random, count);
    to_cut_ = targets_;
    to_join_ = targets_;
    for (std::size_t i = 0; i + 1 < to_join_.size(); ++i)
      std::swap(to_join_[i], to_join_[i + random.below(to_join_.size() - i)]);
    held_before_ = held(controls);
    if (Status first = beat(controls, random); !first) return first.error();
    return fmt::format("{} cut off in turn, joined in the order {}", names_of(controls, targets_),
                       names_of(controls, to_join_));
  }

  Nanos beat_every() const override { return kStep; }

  Status beat(Controls& controls, Random&) override {
    if (!to_cut_.empty()) {
      const Place node = to_cut_.front();
      to_cut_.erase(to_cut_.begin());
      cut_.push_back(node);
      return set(controls, node, true);
    }
    if (joined_ < to_join_.size()) return join_again(controls, to_join_[joined_++]);
    return Done{};
  }

  std::string evidence(const Controls& controls) const override {
    const std::uint64_t bytes = held(controls) - held_before_;
    if (bytes == 0 || !to_cut_.empty()) return {};
    return fmt::format("{} nodes cut off, {} bytes held", targets_.size(), bytes);
  }

  Status heal(Controls& controls) override {
    to_cut_.clear();
    Status all = Done{};
    for (const Place node : std::vector<Place>(cut_)) {
      if (Status joined = join_again(controls, node); !joined) all = joined;
    }
    passed_before_.clear();
    for (const Place node : targets_) passed_before_.push_back(passed(controls, node));
    return all;
  }

  std::optional<std::string> recovery(const Controls& controls) const override {
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (passed(controls, targets_[i]) == passed_before_[i]) return std::string();
    }
    return "links of " + names_of(controls, targets_) + " carry again";
  }

  std::vector<Place> targets() const override { return targets_; }

 private:
  static Status set(Controls& controls, Place node, bool cut) {
    Status all = Done{};
    for (Place other = 1; other <= controls.node_count(); ++other) {
      if (other == node) continue;
      for (const auto& [from, to] : {std::pair(node, other), std::pair(other, node)}) {
        Status one = cut ? controls.links->cut(from, to) : controls.links->heal(from, to);
        if (!one) all = one;
      }
    }
    return all;
  }

  Status join_again(Controls& controls, Place node) {
    return std::erase(cut_, node) > 0 ? set(controls, node, false) : Status(Done{});
  }

  /// On all links from and to the node.
  static std::uint64_t passed(const Controls& controls, Place node) {
    std::uint64_t bytes = 0;
    for (Place other = 1; other <= controls.node_count(); ++other) {
      if (other == node) continue;
      bytes += controls.links->counters(node, other).bytes_passed;
      bytes += controls.links->counters(other, node).bytes_passed;
    }
    return bytes;
  }

  static std::uint64_t held(const Controls& controls) {
    std::uint64_t bytes = 0;
    for (Place from = 1; from <= controls.node_count(); ++from) {
      for (Place to = 1; to <= controls.node_count(); ++to) {
        if (from != to) bytes += controls.links->counters(from, to).bytes_held;
      }
    }
    return bytes;
  }

  std::vector<Place> targets_, to_cut_, to_join_, cut_;
  std::size_t joined_ = 0;
  std::uint64_t held_before_ = 0;
  std::vector<std::uint64_t> passed_before_;  // of the targets
};

}  // namespace

std::unique_ptr<Fault> make_swizzle(const FaultSpec&, Random&) {
  return std::make_unique<Swizzle>();
}

}  // namespace consistory
