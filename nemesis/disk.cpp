// disk: what a node wrote is lost, torn, refused or late. Evidence is what the disk counts: it sees
// every write and every fsync of the node.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/suggest.h"
#include "nemesis/node_count.h"

namespace consistory {
namespace {

/// Kills nodes and takes from their disks what they had not synced; heal starts them again.
class PowerCut final : public Fault {
 public:
  explicit PowerCut(const FaultSpec& spec) : spec_(spec), torn_(spec.variant == "torn") {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    FaultSpec count = spec_;
    count.variant = spec_.variant == "power-cut-majority" ? "majority"
                    : spec_.variant == "power-cut-all"    ? "all"
                                                          : "one";
    for (const Place node : draw_targets(count, controls, random)) {
      const Result<std::string> killed = controls.processes->kill(node);
      if (!killed) return killed.error();
      if (!killed->empty()) targets_.push_back(node);
    }
    for (const Place node : targets_) {
      Result<std::string> lost = controls.disks->lose_unsynced(node, torn_);
      if (!lost) return lost.error();
      losses_.push_back(fmt::format("{} {}", controls.node_names[node], *lost));
    }
    return names_of(controls, targets_);
  }

  std::string evidence(const Controls&) const override { return join(losses_, "; "); }

  Status heal(Controls& controls) override { return controls.processes->ensure_running(targets_); }

  std::vector<Place> targets() const override { return targets_; }

 private:
  FaultSpec spec_;
  bool torn_;
  std::vector<Place> targets_;
  std::vector<std::string> losses_;
};

/// What a variant does to a disk, and which counter tells of it.
struct Defect {
  std::string_view name;
  DiskTrouble (*draw)(Random& random);
  std::string_view words;
  std::uint64_t DiskCounters::*counter;
  bool loses_power = false;  ///< at heal, which shows what the trouble did
};

constexpr std::array<Defect, 6> kDefects = {{
    {"write-error",
     [](Random& random) {
       DiskTrouble trouble;
       trouble.failing_write = 1 + random.below(20);
       return trouble;
     },
     "a write fails with EIO", &DiskCounters::failed},
    {"fsync-error",
     [](Random& random) {
       DiskTrouble trouble;
       trouble.failing_fsync = 1 + random.below(5);
       return trouble;
     },
     "an fsync fails with EIO", &DiskCounters::failed},
    {"full",
     [](Random& random) {
       DiskTrouble trouble;
       trouble.bytes_left = static_cast<std::int64_t>(random.below(4096));
       return trouble;
     },
     "the disk is full", &DiskCounters::refused},
    {"slow-fsync",
     [](Random& random) {
       DiskTrouble trouble;
       trouble.fsync_delay = (50 + static_cast<Nanos>(random.below(200))) * kMillisecond;
       return trouble;
     },
     "every fsync takes its time", &DiskCounters::delayed},
    {"lying-fsync",
     [](Random&) {
       DiskTrouble trouble;
       trouble.fsyncs_lie = true;
       return trouble;
     },
     "fsync does nothing, and then the power goes", &DiskCounters::lied, true},
    {"crash-at-fsync",
     [](Random& random) {
       DiskTrouble trouble;
       trouble.crash_at_fsync = 1 + random.below(10);
       return trouble;
     },
     "the power goes at an fsync", &DiskCounters::crashes, true},
}};

class BadDisk final : public Fault {
 public:
  BadDisk(const Defect& defect, std::vector<Place> nodes)
      : defect_(defect), nodes_(std::move(nodes)) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    if (nodes_.empty()) nodes_ = draw_nodes(controls, random, 1);
    for (const Place node : nodes_) {
      controls.processes->allow_end(node);  // a store may well stop when its disk fails
      before_.push_back(controls.disks->counters(node).*defect_.counter);
      controls.disks->set_trouble(node, defect_.draw(random));
    }
    return fmt::format("{}: {}", names_of(controls, nodes_), defect_.words);
  }

  std::string evidence(const Controls& controls) const override {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      const std::uint64_t count = controls.disks->counters(nodes_[i]).*defect_.counter - before_[i];
      if (count == 0) return {};
      parts.push_back(fmt::format("{}: {} times", controls.node_names[nodes_[i]], count));
    }
    return join(parts, "; ");
  }

  Status heal(Controls& controls) override {
    for (const Place node : nodes_) {
      if (defect_.loses_power) {
        if (const auto killed = controls.processes->kill(node); !killed) return killed.error();
        if (const auto lost = controls.disks->lose_unsynced(node, false); !lost)
          return lost.error();
      }
      controls.disks->set_trouble(node, {});
    }
    before_.clear();
    const std::vector<Place> nodes = std::exchange(nodes_, {});
    const Status started = controls.processes->ensure_running(nodes);
    for (const Place node : nodes) controls.processes->forbid_end(node);
    return started;
  }

  std::vector<Place> targets() const override { return nodes_; }

 private:
  const Defect& defect_;
  std::vector<Place> nodes_;
  std::vector<std::uint64_t> before_;
};

/// One bit of what lies on the disk, while the node is down.
class BitFlip final : public Fault {
 public:
  explicit BitFlip(const FaultSpec& spec) : nodes_(spec.nodes()) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    if (nodes_.empty()) nodes_ = draw_nodes(controls, random, 1);
    for (const Place node : nodes_) {
      if (const auto killed = controls.processes->kill(node); !killed) return killed.error();
      Result<std::string> flipped = controls.disks->flip_bit(node, random);
      if (!flipped) return flipped.error();
      flips_.push_back(fmt::format("{} {}", controls.node_names[node], *flipped));
    }
    return names_of(controls, nodes_);
  }

  std::string evidence(const Controls&) const override { return join(flips_, "; "); }

  Status heal(Controls& controls) override { return controls.processes->ensure_running(nodes_); }

  std::vector<Place> targets() const override { return nodes_; }

 private:
  std::vector<Place> nodes_;
  std::vector<std::string> flips_;
};

}  // namespace

std::unique_ptr<Fault> make_disk(const FaultSpec& spec, Random& random) {
  FaultSpec chosen = spec;
  constexpr std::array<std::string_view, 4> kDrawn = {"power-cut", "torn", "slow-fsync",
                                                      "crash-at-fsync"};
  if (spec.variant.empty()) chosen.variant = kDrawn[random.below(kDrawn.size())];
  const auto found = std::find_if(kDefects.begin(), kDefects.end(), [&](const Defect& defect) {
    return defect.name == chosen.variant;
  });
  if (found != kDefects.end()) return std::make_unique<BadDisk>(*found, chosen.nodes());
  if (chosen.variant == "bit-flip") return std::make_unique<BitFlip>(chosen);
  return std::make_unique<PowerCut>(chosen);
}

}  // namespace consistory
