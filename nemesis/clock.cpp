// clock: a node's clocks are moved, and put back at heal. Never the machine's. Evidence is what the
// node reads on its own clocks.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "nemesis/node_count.h"

namespace consistory {
namespace {

constexpr Nanos kMargin = 100 * kMillisecond;  // by which a reading may miss: it takes its time
constexpr Nanos kSeenDrift = 20 * kMillisecond;
constexpr Nanos kStrobeEvery = 100 * kMillisecond;

Nanos draw_offset(Random& random) {
  constexpr Nanos kLeast = 200 * kMillisecond;
  constexpr std::size_t kSpreadMs = 1800;
  const Nanos size = kLeast + static_cast<Nanos>(random.below(kSpreadMs)) * kMillisecond;
  return random.chance(0.5) ? size : -size;
}

double draw_drift(Random& random) {
  const double size = 0.02 + 0.18 * random.unit();
  return random.chance(0.5) ? size : -size;
}

struct Disorder {
  std::string_view name;
  ClockSkew (*draw)(Random& random);
  bool every_node = false;
  bool strobes = false;  ///< comes and goes
};

constexpr std::array<Disorder, 6> kDisorders = {{
    {"jump",
     [](Random& random) {
       return ClockSkew{draw_offset(random), 0, 0, 0};
     }},
    {"skew",
     [](Random& random) {
       return ClockSkew{draw_offset(random), 0, 0, 0};
     },
     true},
    {"drift",
     [](Random& random) {
       return ClockSkew{0, draw_drift(random), 0, 0};
     }},
    {"strobe",
     [](Random& random) {
       return ClockSkew{draw_offset(random), 0, 0, 0};
     },
     false, true},
    // Forward only: no system's monotonic clock goes back, and programs may rely on that.
    {"monotonic-jump",
     [](Random& random) {
       return ClockSkew{0, 0, std::abs(draw_offset(random)), 0};
     }},
    {"monotonic-drift",
     [](Random& random) {
       return ClockSkew{0, 0, 0, draw_drift(random)};
     }},
}};

std::string describe(const ClockSkew& skew) {
  if (skew.wall != 0) return fmt::format("wall {:+} ms", skew.wall / kMillisecond);
  if (skew.wall_drift != 0) return fmt::format("wall {:+.0f} ms/s", 1000 * skew.wall_drift);
  if (skew.monotonic != 0) return fmt::format("monotonic {:+} ms", skew.monotonic / kMillisecond);
  return fmt::format("monotonic {:+.0f} ms/s", 1000 * skew.monotonic_drift);
}

class Clock final : public Fault {
 public:
  Clock(const Disorder& disorder, std::vector<Place> nodes)
      : disorder_(disorder), chosen_(std::move(nodes)) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    if (chosen_.empty())
      chosen_ = draw_nodes(controls, random, disorder_.every_node ? controls.node_count() : 1);
    std::vector<std::string> done;
    for (const Place node : chosen_) {
      const ClockSkew skew = disorder_.draw(random);
      if (Status moved = controls.clocks->set_skew(node, skew); !moved) return moved.error();
      moved_.push_back({node, skew, monotonic_now()});
      done.push_back(fmt::format("{} {}", controls.node_names[node], describe(skew)));
    }
    return join(done, ", ");
  }

  std::string evidence(const Controls& controls) const override {
    std::vector<std::string> read;
    for (const Moved& moved : moved_) {
      if (!is_on_) return {};  // a strobe that is off just now
      const auto seen = controls.clocks->read_clocks(moved.node);
      if (!seen || !shows(*seen, moved)) return {};
      const bool wall = moved.skew.wall != 0 || moved.skew.wall_drift != 0;
      read.push_back(
          fmt::format("{} reads {:+.0f} ms", controls.node_names[moved.node],
                      static_cast<double>(wall ? seen->wall : seen->monotonic) / kMillisecond));
    }
    return join(read, "; ");
  }

  Nanos beat_every() const override { return disorder_.strobes ? kStrobeEvery : 0; }

  Status beat(Controls& controls, Random&) override {
    is_on_ = !is_on_;
    for (const Moved& moved : moved_) {
      const ClockSkew skew = is_on_ ? moved.skew : ClockSkew{};
      if (Status set = controls.clocks->set_skew(moved.node, skew); !set) return set;
    }
    return Done{};
  }

  Status heal(Controls& controls) override {
    for (const Moved& moved : moved_) {
      if (Status set = controls.clocks->set_skew(moved.node, {}); !set) return set;
    }
    return Done{};
  }

  std::vector<Place> targets() const override { return chosen_; }

 private:
  struct Moved {
    Place node;
    ClockSkew skew;
    Nanos since;
  };

  static bool shows(const ClockReading& reading, const Moved& moved) {
    const auto near = [&](Nanos seen, Nanos offset, double drift) {
      const auto gained =
          static_cast<Nanos>(drift * static_cast<double>(monotonic_now() - moved.since));
      // A drift has to be told from the time that reading takes.
      if (drift != 0 && std::abs(gained) < kSeenDrift) return false;
      const Nanos margin = drift != 0 ? std::abs(gained) / 2 : kMargin;
      return std::abs(seen - offset - gained) < margin;
    };
    return near(reading.wall, moved.skew.wall, moved.skew.wall_drift) &&
           near(reading.monotonic, moved.skew.monotonic, moved.skew.monotonic_drift);
  }

  const Disorder& disorder_;
  std::vector<Place> chosen_;
  std::vector<Moved> moved_;
  bool is_on_ = true;
};

}  // namespace

std::unique_ptr<Fault> make_clock(const FaultSpec& spec, Random&) {
  const auto found =
      std::find_if(kDisorders.begin(), kDisorders.end(),
                   [&](const Disorder& disorder) { return disorder.name == spec.variant; });
  return std::make_unique<Clock>(found == kDisorders.end() ? kDisorders.front() : *found,
                                 spec.nodes());
}

}  // namespace consistory
