// The table of faults: the command line, `list` and the campaigns read it. A new fault is one file,
// one row here and one line in CMakeLists.txt.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>

#include "base/suggest.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

constexpr std::array<FaultVariant, 5> kCounts = {{
    {"one", "one node"},
    {"leader", "the node that leads, as the store tells"},
    {"minority", "as many nodes as leave a majority"},
    {"majority", "as few nodes as leave no majority"},
    {"all", "every node at once"},
}};

constexpr std::array<FaultVariant, 9> kPartitions = {{
    {"halves", "the nodes in two groups that do not hear each other"},
    {"one", "one node cut off from all others"},
    {"leader", "the node that leads cut off from all others"},
    {"one-way", "one node that is heard by the others and hears none of them, or the reverse"},
    {"bridge", "two groups that do not hear each other, and one node that hears both"},
    {"ring", "every node hears a majority, and no two the same one"},
    {"clients", "the clients cut off from one node"},
    {"flapping", "halves, cut and whole again in turns"},
    {"swizzle", "nodes cut off one by one, and joined again one by one in another order"},
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

constexpr std::array<FaultVariant, 6> kClocks = {{
    {"jump", "one node's wall clock by 0.2 to 2 s, forward or back"},
    {"skew", "every node's wall clock, each by its own amount"},
    {"drift", "one node's wall clock runs 2 to 20 % fast or slow"},
    {"strobe", "one node's wall clock jumps off and back, ten times a second"},
    {"monotonic-jump", "one node's monotonic clock by 0.2 to 2 s, forward"},
    {"monotonic-drift", "one node's monotonic clock runs 2 to 20 % fast or slow"},
}};

constexpr std::array<FaultVariant, 11> kDisks = {{
    {"power-cut", "one node ends, and what it had not synced is lost"},
    {"power-cut-majority", "the same, of a majority at once"},
    {"power-cut-all", "the same, of every node at once"},
    {"torn", "a power cut of one node after which half of its last write is there"},
    {"write-error", "a write fails with EIO; only by name"},
    {"fsync-error", "an fsync fails with EIO; only by name"},
    {"full", "the disk is full; only by name"},
    {"slow-fsync", "every fsync takes 50 to 250 ms longer"},
    {"lying-fsync", "fsync does nothing, and then the power goes; only by name"},
    {"crash-at-fsync", "the power goes exactly at an fsync"},
    {"bit-flip", "a bit of a file is another after a restart; only by name"},
}};

constexpr std::array<FaultKind, 7> kFaults = {{
    {"partition", "cut the links between nodes, each direction for itself",
     "bytes of the store's own traffic held back between every two groups", kPartitions,
     make_partition, Needs::nothing},
    {"link", "make the links between nodes slow, lossy, narrow or untidy",
     "packets that it struck, as the links count them", kLinks, make_link, Needs::shaped_links},
    {"kill", "SIGKILL a node, and start it again", "exit status of the process", kCounts, make_kill,
     Needs::nothing},
    {"pause", "SIGSTOP a node, and continue it", "process state", kCounts, make_pause,
     Needs::nothing},
    {"slow", "give a node a fifth of the processor", "how often it was stopped, and how long",
     kCounts, make_slow, Needs::nothing},
    {"clock", "move the clocks of a node, and put them back; never the machine's",
     "what the node reads on its own clocks", kClocks, make_clock, Needs::movable_clocks},
    {"disk", "lose, tear, refuse or delay what a node writes",
     "the writes and fsyncs that it struck, as the disk counts them", kDisks, make_disk,
     Needs::own_disks},
}};

std::vector<std::string> names(std::span<const FaultVariant> variants) {
  std::vector<std::string> all;
  for (const FaultVariant& variant : variants) all.emplace_back(variant.name);
  return all;
}

}  // namespace

std::span<const FaultKind> all_faults() { return kFaults; }

std::string FaultSpec::name() const {
  std::string name(kind->name);
  if (!variant.empty()) name += ":" + variant;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    name += i == 0 ? '@' : one_way ? '>' : '|';
    for (std::size_t j = 0; j < groups[i].size(); ++j)
      name += fmt::format("{}n{}", j == 0 ? "" : "+", groups[i][j]);
  }
  return name;
}

namespace {

/// "n1|n2+n3", or "n1>n2+n3"
Status parse_groups(std::string_view text, FaultSpec& spec) {
  std::vector<std::vector<Place>>& groups = spec.groups;
  groups.resize(1);
  std::set<Place> seen;
  for (std::size_t at = 0;; ++at) {
    Place node = 0;
    const char* begin = text.data() + std::min(at + 1, text.size());
    const auto [end, status] = std::from_chars(begin, text.data() + text.size(), node);
    const bool named = at < text.size() && text[at] == 'n' && status == std::errc{} && node > 0;
    if (!named || !seen.insert(node).second) {
      return usage_error(
          fmt::format("after @ come nodes, each once, as in n1+n2, or groups of them, as in "
                      "n1|n2+n3 or n1>n2+n3, not \"{}\"",
                      text));
    }
    groups.back().push_back(node);
    at = static_cast<std::size_t>(end - text.data());
    if (at == text.size()) return Done{};
    const bool directs = text[at] == '>' && groups.size() == 1;
    const bool divides = text[at] == '|' && !spec.one_way;
    spec.one_way = spec.one_way || directs;
    if (directs || divides) groups.emplace_back();
    else if (text[at] != '+') at = text.size();  // told of by the next round
  }
}

}  // namespace

Result<FaultSpec> parse_fault(std::string_view text) {
  FaultSpec spec;
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    if (Status named = parse_groups(text.substr(at + 1), spec); !named) return named.error();
    text = text.substr(0, at);
  }
  const std::size_t colon = text.find(':');
  const std::string_view wanted = text.substr(0, colon);
  std::vector<std::string> known;
  for (const FaultKind& kind : kFaults) {
    known.emplace_back(kind.name);
    if (kind.name == wanted) spec.kind = &kind;
  }
  if (spec.kind == nullptr) return usage_error(unknown_name("fault", wanted, known));
  if (spec.groups.size() > 1 && wanted != "partition" && wanted != "link")
    return usage_error(fmt::format("only partition and link take groups of nodes, not {}", wanted));
  if (colon == std::string_view::npos) return spec;
  spec.variant = text.substr(colon + 1);
  const bool takes_one =
      spec.variant == "one" || spec.variant == "one-way" || spec.variant == "clients";
  if (wanted == "partition" && !spec.groups.empty() && (!takes_one || spec.nodes().size() != 1))
    return usage_error(
        "of partitions only one, one-way and clients take a name, and just one: for groups say "
        "partition@n1|n2+n3");
  for (const FaultVariant& row : spec.kind->variants) {
    if (row.name == spec.variant) return spec;
  }
  return usage_error(unknown_name(fmt::format("variant of fault {}", wanted), spec.variant,
                                  names(spec.kind->variants)));
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
