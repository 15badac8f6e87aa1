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
      cut_.push_back(to_cut_.front());
      set(controls, to_cut_.front(), true);
      to_cut_.erase(to_cut_.begin());
    } else if (joined_ < to_join_.size()) {
      join_again(controls, to_join_[joined_++]);
    }
    return Done{};
  }

  std::string evidence(const Controls& controls) const override {
    const std::uint64_t bytes = held(controls) - held_before_;
    if (bytes == 0 || !to_cut_.empty()) return {};
    return fmt::format("{} nodes cut off, {} bytes held", targets_.size(), bytes);
  }

  Status heal(Controls& controls) override {
    to_cut_.clear();
    for (const Place node : std::vector<Place>(cut_)) join_again(controls, node);
    return Done{};
  }

  std::vector<Place> targets() const override { return targets_; }

 private:
  static void set(Controls& controls, Place node, bool cut) {
    for (Place other = 1; other <= controls.node_count(); ++other) {
      if (other == node) continue;
      for (const auto& [from, to] : {std::pair(node, other), std::pair(other, node)}) {
        if (cut) controls.links->cut(from, to);
        else controls.links->heal(from, to);
      }
    }
  }

  void join_again(Controls& controls, Place node) {
    if (std::erase(cut_, node) > 0) set(controls, node, false);
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
};

}  // namespace

std::unique_ptr<Fault> make_swizzle(const FaultSpec&, Random&) {
  return std::make_unique<Swizzle>();
}

}  // namespace consistory
