// link: the links between nodes get worse without being cut. Evidence is the links' own count of
// the packets that it struck.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

double between(Random& random, double low, double high) {
  return low + random.unit() * (high - low);
}

Nanos milliseconds(Random& random, double low, double high) {
  return static_cast<Nanos>(between(random, low, high) * kMillisecond);
}

/// What a variant does, and which counter tells of it.
struct Ailment {
  std::string_view name;
  LinkQuality (*draw)(Random& random);
  std::string (*text)(const LinkQuality& quality);
  std::uint64_t LinkCounters::*counter;
};

std::string percent(double share, std::string_view what) {
  return fmt::format("{:.0f} % of packets {}", 100 * share, what);
}

constexpr std::array<Ailment, 7> kAilments = {{
    {"delay",
     [](Random& random) {
       LinkQuality quality;
       quality.delay = milliseconds(random, 20, 120);
       quality.jitter = quality.delay / 4;
       return quality;
     },
     [](const LinkQuality& quality) {
       return fmt::format("{} to {} ms late", quality.delay / kMillisecond,
                          (quality.delay + quality.jitter) / kMillisecond);
     },
     &LinkCounters::delayed},
    {"loss",
     [](Random& random) {
       LinkQuality quality;
       quality.loss = between(random, 0.05, 0.3);
       return quality;
     },
     [](const LinkQuality& quality) { return percent(quality.loss, "lost"); }, &LinkCounters::lost},
    {"duplicate",
     [](Random& random) {
       LinkQuality quality;
       quality.duplicate = between(random, 0.05, 0.5);
       return quality;
     },
     [](const LinkQuality& quality) { return percent(quality.duplicate, "come twice"); },
     &LinkCounters::duplicated},
    {"reorder",
     [](Random& random) {
       LinkQuality quality;
       quality.reorder = between(random, 0.05, 0.5);
       return quality;
     },
     [](const LinkQuality& quality) { return percent(quality.reorder, "overtaken"); },
     &LinkCounters::reordered},
    {"narrow",
     [](Random& random) {
       LinkQuality quality;
       quality.bits_per_second = 200'000 + random.below(800'000);
       return quality;
     },
     [](const LinkQuality& quality) {
       return fmt::format("{} kbit/s", quality.bits_per_second / 1000);
     },
     &LinkCounters::delayed},
    {"corrupt",
     [](Random& random) {
       LinkQuality quality;
       quality.corrupt = between(random, 0.02, 0.2);
       return quality;
     },
     [](const LinkQuality& quality) { return percent(quality.corrupt, "corrupted"); },
     &LinkCounters::corrupted},
    {"corrupt-silently",
     [](Random& random) {
       LinkQuality quality;
       quality.corrupt_silently = between(random, 0.02, 0.1);
       return quality;
     },
     [](const LinkQuality& quality) {
       return percent(quality.corrupt_silently, "corrupted, unnoticed by TCP");
     },
     &LinkCounters::corrupted},
}};

class Link final : public Fault {
 public:
  Link(const Ailment& ailment, const FaultSpec& spec)
      : ailment_(ailment), groups_(spec.groups), one_way_(spec.one_way) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    if (!controls.links->shapes())
      return environment_error("links can only be cut here, not made worse: use --ground sandbox");
    quality_ = ailment_.draw(random);
    before_ = struck(controls);
    injected_ = true;
    Status imposed = Done{};
    for_each_link(controls, [&](Place from, Place to) {
      if (Status one = controls.links->impose(from, to, quality_); !one) imposed = one;
    });
    if (!imposed) return imposed.error();
    return ailment_.text(quality_) + " on " + links_in_words(controls);
  }

  std::string evidence(const Controls& controls) const override {
    const std::uint64_t count = struck(controls) - before_;
    return count == 0 ? std::string() : fmt::format("{} packets struck", count);
  }

  Status heal(Controls& controls) override {
    if (!injected_) return Done{};
    injected_ = false;
    Status lifted = Done{};
    for_each_link(controls, [&](Place from, Place to) {
      if (Status one = controls.links->lift(from, to, quality_); !one) lifted = one;
    });
    return lifted;
  }

  std::vector<Place> targets() const override {
    return groups_.empty() ? std::vector<Place>() : groups_.front();
  }

 private:
  /// Of no group: any other node is its counterpart, if there is but one group.
  std::size_t group_of(Place node) const {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (std::find(groups_[i].begin(), groups_[i].end(), node) != groups_[i].end()) return i;
    }
    return groups_.size();
  }

  /// All links if no node was named, those from and to the nodes of one group, or those between
  /// groups.
  bool strikes(Place from, Place to) const {
    const std::size_t a = group_of(from), b = group_of(to), none = groups_.size();
    if (one_way_) return a == 0 && b == 1;
    if (none == 0) return true;
    return none == 1 ? a == 0 || b == 0 : a != b && a != none && b != none;
  }

  std::string links_in_words(const Controls& controls) const {
    if (groups_.empty()) return "every link between nodes";
    const std::string first = names_of(controls, groups_[0]);
    if (one_way_) return fmt::format("links from {} to {}", first, names_of(controls, groups_[1]));
    if (groups_.size() == 1) return "links from and to " + first;
    std::vector<std::string> names;
    for (const std::vector<Place>& group : groups_) names.push_back(names_of(controls, group));
    return "links between " + join(names, " | ");
  }

  template <class Visit>
  void for_each_link(const Controls& controls, const Visit& visit) const {
    for (Place from = 1; from <= controls.node_count(); ++from) {
      for (Place to = 1; to <= controls.node_count(); ++to) {
        if (from != to && strikes(from, to)) visit(from, to);
      }
    }
  }

  std::uint64_t struck(const Controls& controls) const {
    std::uint64_t count = 0;
    for_each_link(controls, [&](Place from, Place to) {
      const LinkCounters counters = controls.links->counters(from, to);
      count += counters.*ailment_.counter;
      if (quality_.bits_per_second > 0) count += counters.lost;  // what does not fit
    });
    return count;
  }

  const Ailment& ailment_;
  std::vector<std::vector<Place>> groups_;
  bool one_way_;
  LinkQuality quality_;
  std::uint64_t before_ = 0;
  bool injected_ = false;
};

}  // namespace

std::unique_ptr<Fault> make_link(const FaultSpec& spec, Random& random) {
  constexpr std::size_t kRepaired = kAilments.size() - 1;  // the last one is only done by name
  if (spec.variant.empty()) return std::make_unique<Link>(kAilments[random.below(kRepaired)], spec);
  const auto found = std::find_if(kAilments.begin(), kAilments.end(), [&](const Ailment& ailment) {
    return ailment.name == spec.variant;
  });
  return std::make_unique<Link>(*found, spec);
}

}  // namespace consistory
