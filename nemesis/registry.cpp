// The table of faults: the command line, `list` and the campaigns read it. A new fault is one file,
// one row here and one line in CMakeLists.txt.
#include <fmt/format.h>

#include <array>

#include "base/suggest.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

constexpr std::array<FaultVariant, 4> kCounts = {{
    {"one", "one node"},
    {"leader", "the node that leads, as the store tells"},
    {"minority", "as many nodes as leave a majority"},
    {"all", "every node at once"},
}};

constexpr std::array<FaultVariant, 7> kPartitions = {{
    {"halves", "the nodes in two groups that do not hear each other"},
    {"one", "one node cut off from all others"},
    {"leader", "the node that leads cut off from all others"},
    {"one-way", "one node that is heard by the others and hears none of them, or the reverse"},
    {"bridge", "two groups that do not hear each other, and one node that hears both"},
    {"ring", "every node hears a majority, and no two the same one"},
    {"clients", "the clients cut off from one node"},
}};

constexpr std::array<FaultVariant, 7> kLinks = {{
    {"delay", "packets come 20 to 150 ms late, in order"},
    {"loss", "5 to 30 % of packets are lost"},
    {"duplicate", "5 to 50 % of packets come twice"},
    {"reorder", "5 to 50 % of packets are overtaken by others"},
    {"narrow", "links carry 0.2 to 1 Mbit/s"},
    {"corrupt", "2 to 20 % of packets come with a flipped bit, which TCP notices and repairs"},
    {"corrupt-silently", "2 to 10 % come with a flipped bit that nothing notices; only by name"},
}};

constexpr std::array<FaultVariant, 2> kClocks = {{
    {"jump", "one node's clock by 0.2 to 2 s, forward or back"},
    {"skew", "every node's clock, each by its own amount"},
}};

constexpr std::array<FaultKind, 5> kFaults = {{
    {"partition", "cut the links between nodes, each direction for itself",
     "bytes of the store's own traffic held back in each cut direction", kPartitions,
     make_partition, Needs::nothing},
    {"link", "make the links between nodes slow, lossy, narrow or untidy",
     "packets that it struck, as the links count them", kLinks, make_link, Needs::shaped_links},
    {"kill", "SIGKILL a node, and start it again", "exit status of the process", kCounts, make_kill,
     Needs::nothing},
    {"pause", "SIGSTOP a node, and continue it", "process state", kCounts, make_pause,
     Needs::nothing},
    {"clock", "move the clock of a node, and put it back; never the machine's",
     "the offset that the node reads", kClocks, make_clock, Needs::movable_clocks},
}};

std::vector<std::string> names(std::span<const FaultVariant> variants) {
  std::vector<std::string> all;
  for (const FaultVariant& variant : variants) all.emplace_back(variant.name);
  return all;
}

}  // namespace

std::span<const FaultKind> all_faults() { return kFaults; }

Result<FaultSpec> parse_fault(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view wanted = text.substr(0, colon);
  std::vector<std::string> known;
  for (const FaultKind& kind : kFaults) {
    known.emplace_back(kind.name);
    if (kind.name != wanted) continue;
    if (colon == std::string_view::npos) return FaultSpec{&kind, ""};
    const std::string_view variant = text.substr(colon + 1);
    for (const FaultVariant& row : kind.variants) {
      if (row.name == variant) return FaultSpec{&kind, std::string(variant)};
    }
    return usage_error(
        unknown_name(fmt::format("variant of fault {}", kind.name), variant, names(kind.variants)));
  }
  return usage_error(unknown_name("fault", wanted, known));
}

std::vector<Place> draw_nodes(const Controls& controls, Random& random, std::size_t count) {
  std::vector<Place> nodes;
  for (Place node = 1; node <= controls.node_count(); ++node) nodes.push_back(node);
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
    std::swap(nodes[i], nodes[i + random.below(nodes.size() - i)]);
  }
  nodes.resize(std::min(count, nodes.size()));
  return nodes;
}

Place draw_leader(const Controls& controls, Random& random) {
  const std::optional<Place> leader = controls.processes->leader();
  return leader ? *leader : draw_nodes(controls, random, 1).front();
}

std::string names_of(const Controls& controls, const std::vector<Place>& places) {
  std::vector<std::string> all;
  for (const Place place : places) all.push_back(controls.node_names[place]);
  return join(all, " ");
}

}  // namespace consistory
