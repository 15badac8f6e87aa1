// partition: directed links are cut. Evidence is that between every two groups the store itself
// tried to send and was held back; where nothing was tried there is none at all. One link that
// tried is enough: followers of a leader may have nothing to say to each other, and who hears no
// question does not answer. A flapping partition is cut and whole again in turns.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/suggest.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

constexpr Nanos kFlapEvery = 250 * kMillisecond;

struct Link {
  Place from;
  Place to;
  LinkCounters before;
  int cut;  ///< between two groups: of the links of one cut, one that was tried is enough
};

class Partition final : public Fault {
 public:
  Partition(std::string variant, const FaultSpec& spec)
      : variant_(std::move(variant)), groups_(spec.groups), one_way_(spec.one_way) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    const std::string what = plan(controls, random);
    for (Link& link : links_) link.before = controls.links->counters(link.from, link.to);
    if (Status cut = set_cut(controls, true); !cut) return cut.error();
    return what;
  }

  Nanos beat_every() const override { return variant_ == "flapping" ? kFlapEvery : 0; }

  Status beat(Controls& controls, Random&) override { return set_cut(controls, !is_cut_); }

  std::string evidence(const Controls& controls) const override {
    std::vector<std::string> parts;
    std::set<int> tried;
    for (const Link& link : links_) {
      const LinkCounters now = controls.links->counters(link.from, link.to);
      const std::uint64_t bytes = now.bytes_held - link.before.bytes_held;
      const std::uint64_t connections = now.connections_held - link.before.connections_held;
      if (bytes + connections == 0) continue;
      tried.insert(link.cut);
      parts.push_back(fmt::format("{}: {} bytes held, {} connections", name_of(controls, link),
                                  bytes, connections));
    }
    const bool every_cut = std::all_of(links_.begin(), links_.end(),
                                       [&](const Link& link) { return tried.contains(link.cut); });
    return every_cut ? join(parts, "; ") : std::string();
  }

  Status heal(Controls& controls) override {
    Status whole = set_cut(controls, false);
    for (Link& link : links_) link.before = controls.links->counters(link.from, link.to);
    return whole;
  }

  std::optional<std::string> recovery(const Controls& controls) const override {
    std::vector<std::string> parts;
    std::set<int> carries;
    for (const Link& link : links_) {
      const LinkCounters now = controls.links->counters(link.from, link.to);
      if (now.bytes_passed == link.before.bytes_passed) continue;
      carries.insert(link.cut);
      parts.push_back(name_of(controls, link));
    }
    const bool every_cut = std::all_of(
        links_.begin(), links_.end(), [&](const Link& link) { return carries.contains(link.cut); });
    return every_cut ? join(parts, " ") + " carries again" : std::string();
  }

  std::vector<Place> targets() const override { return targets_; }

 private:
  static std::string name_of(const Controls& controls, const Link& link) {
    return controls.node_names[link.from] + ">" + controls.node_names[link.to];
  }

  /// Every link, even if one of them fails.
  Status set_cut(Controls& controls, bool cut) {
    if (std::exchange(is_cut_, cut) == cut) return Done{};
    Status all = Done{};
    for (const auto& [from, to, before, group] : links_) {
      Status one = cut ? controls.links->cut(from, to) : controls.links->heal(from, to);
      if (!one) all = one;
    }
    return all;
  }

  std::string plan(const Controls& controls, Random& random) {
    std::vector<Place> nodes = draw_nodes(controls, random, controls.node_count());
    if (one_way_) targets_ = groups_[0];
    if (one_way_) return cut_one_way(controls, groups_[0], groups_[1]);
    if (groups_.size() > 1) return cut_named(controls);
    if (groups_.size() == 1 && groups_[0].size() > 1) return cut_from_rest(controls, nodes);
    if (groups_.size() == 1) bring_to_front(nodes, groups_[0].front());
    else if (variant_ == "leader") bring_to_front(nodes, draw_leader(controls, random));
    if (variant_ == "clients") return cut_clients(controls, nodes.front());
    if (variant_ == "bridge") return cut_but_a_bridge(controls, nodes);
    if (variant_ == "ring") return cut_to_a_ring(controls, nodes);
    if (variant_ == "one-way") return cut_one_way_at_random(controls, nodes, random);
    const std::size_t first =
        variant_ == "one" || variant_ == "leader" ? 1 : (nodes.size() + 1) / 2;
    const auto middle = nodes.begin() + static_cast<std::ptrdiff_t>(std::min(first, nodes.size()));
    return cut_groups(controls, {nodes.begin(), middle}, {middle, nodes.end()});
  }

  static void bring_to_front(std::vector<Place>& nodes, Place node) {
    std::iter_swap(nodes.begin(), std::find(nodes.begin(), nodes.end(), node));
  }

  std::string cut_from_rest(const Controls& controls, const std::vector<Place>& nodes) {
    const std::vector<Place>& named = groups_[0];
    std::vector<Place> rest;
    std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(rest), [&](Place node) {
      return std::find(named.begin(), named.end(), node) == named.end();
    });
    return cut_groups(controls, named, rest);
  }

  /// Every group from every other; a node in none of them hears all.
  std::string cut_named(const Controls& controls) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      for (std::size_t j = i + 1; j < groups_.size(); ++j)
        cut_groups(controls, groups_[i], groups_[j]);
      names.push_back(names_of(controls, groups_[i]));
    }
    targets_ = groups_.front();
    return join(names, " | ");
  }

  std::string cut_but_a_bridge(const Controls& controls, const std::vector<Place>& nodes) {
    const auto bridge = nodes.begin();
    const auto middle = bridge + 1 + static_cast<std::ptrdiff_t>((nodes.size() - 1) / 2);
    const std::string groups = cut_groups(controls, {bridge + 1, middle}, {middle, nodes.end()});
    return fmt::format("{}, but for {}", groups, controls.node_names[*bridge]);
  }

  /// The nodes in a circle: each hears as many of those that follow as make a majority with itself.
  std::string cut_to_a_ring(const Controls& controls, const std::vector<Place>& nodes) {
    const std::size_t all = nodes.size(), heard = all / 2;
    for (std::size_t hearer = 0; hearer < all; ++hearer) {
      for (std::size_t ahead = heard + 1; ahead < all; ++ahead)
        links_.push_back({nodes[(hearer + ahead) % all], nodes[hearer], {}, 0});
    }
    targets_ = nodes;
    return fmt::format("in the ring {} each hears the next {}", names_of(controls, nodes), heard);
  }

  std::string cut_groups(const Controls& controls, std::vector<Place> left,
                         std::vector<Place> right) {
    for (const Place a : left) {
      for (const Place b : right) {
        links_.push_back({a, b, {}, cuts_});
        links_.push_back({b, a, {}, cuts_});
      }
    }
    ++cuts_;
    std::sort(left.begin(), left.end());
    std::sort(right.begin(), right.end());
    targets_ = left.size() <= right.size() ? left : right;
    return names_of(controls, left) + " | " + names_of(controls, right);
  }

  /// The first node is deaf, or mute.
  std::string cut_one_way_at_random(const Controls& controls, const std::vector<Place>& nodes,
                                    Random& random) {
    const std::vector<Place> one = {nodes.front()}, others(nodes.begin() + 1, nodes.end());
    targets_ = one;
    return random.chance(0.5) ? cut_one_way(controls, others, one)
                              : cut_one_way(controls, one, others);
  }

  std::string cut_one_way(const Controls& controls, const std::vector<Place>& senders,
                          const std::vector<Place>& hearers) {
    for (const Place from : senders) {
      for (const Place to : hearers) links_.push_back({from, to, {}, 0});
    }
    return fmt::format("{} not heard by {}", names_of(controls, senders),
                       names_of(controls, hearers));
  }

  std::string cut_clients(const Controls& controls, Place node) {
    targets_ = {node};
    links_ = {
        {kClients, node, {}, 0}};  // requests cannot arrive; what was under way may be answered
    return fmt::format("clients | {}", controls.node_names[node]);
  }

  std::string variant_;
  std::vector<std::vector<Place>> groups_;
  bool one_way_;
  std::vector<Link> links_;
  bool is_cut_ = false;
  int cuts_ = 0;
  std::vector<Place> targets_;
};

}  // namespace

std::unique_ptr<Fault> make_partition(const FaultSpec& spec, Random& random) {
  if (spec.variant == "swizzle") return make_swizzle(spec, random);
  constexpr std::string_view kDrawn[] = {"halves", "one", "one-way"};
  const bool open = spec.variant.empty() && spec.groups.size() < 2;
  const std::string_view chosen = !open                  ? std::string_view(spec.variant)
                                  : spec.nodes().empty() ? kDrawn[random.below(3)]
                                                         : "one";
  return std::make_unique<Partition>(std::string(chosen), spec);
}

}  // namespace consistory
