// clock: a node's clock is moved, and put back at heal. Never the machine's: the node reads an
// offset. Evidence is the offset that the node reports through its own clock.
#include <fmt/format.h>

#include "base/suggest.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

constexpr Nanos kLeast = 200 * kMillisecond;
constexpr std::size_t kSpreadMs = 1800;

class ClockShift final : public Fault {
 public:
  explicit ClockShift(std::string_view variant) : variant_(variant) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    const std::size_t count = variant_ == "skew" ? controls.node_count() : 1;
    std::vector<std::string> done;
    for (const Place node : draw_nodes(controls, random, count)) {
      const Nanos size = kLeast + static_cast<Nanos>(random.below(kSpreadMs)) * kMillisecond;
      const Nanos offset = random.chance(0.5) ? size : -size;
      if (Status moved = controls.clocks->set_offset(node, offset); !moved) return moved.error();
      shifts_.push_back({node, offset});
      done.push_back(fmt::format("{} {:+} ms", controls.node_names[node], offset / kMillisecond));
    }
    return join(done, ", ");
  }

  std::string evidence(const Controls& controls) const override {
    std::vector<std::string> read;
    for (const auto& [node, offset] : shifts_) {
      const auto seen = controls.clocks->offset(node);
      if (!seen || *seen != offset) return {};
      read.push_back(
          fmt::format("{} reads {:+} ms", controls.node_names[node], *seen / kMillisecond));
    }
    return join(read, "; ");
  }

  Status heal(Controls& controls) override {
    for (const auto& [node, offset] : shifts_) {
      if (Status moved = controls.clocks->set_offset(node, 0); !moved) return moved;
    }
    return Done{};
  }

  std::vector<Place> targets() const override {
    std::vector<Place> nodes;
    for (const auto& [node, offset] : shifts_) nodes.push_back(node);
    return nodes;
  }

 private:
  std::string variant_;
  std::vector<std::pair<Place, Nanos>> shifts_;
};

}  // namespace

std::unique_ptr<Fault> make_clock(std::string_view variant, Random&) {
  return std::make_unique<ClockShift>(variant);
}

}  // namespace consistory
