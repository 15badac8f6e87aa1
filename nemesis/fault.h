#pragma once
// A fault as a package: inject, confirm by evidence, heal. It never knows which store it breaks.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "nemesis/controls.h"

namespace consistory {

/// One injected fault. Made for one use; heal() is idempotent and is always called.
class Fault {
 public:
  virtual ~Fault() = default;
  /// Draws its targets and strikes; returns what was done, in replayable terms ("n1 | n2 n3").
  virtual Result<std::string> inject(Controls& controls, Random& random) = 0;
  /// Evidence that it bit, or nothing yet. Polled until there is some or the fault is healed.
  virtual std::string evidence(const Controls& controls) const = 0;
  virtual Status heal(Controls& controls) = 0;
  /// After heal(): what proves that the world works again ("n1>n2 carries again"); empty: nothing
  /// yet, ask again. None: heal() itself waited for the proof.
  virtual std::optional<std::string> recovery(const Controls&) const { return std::nullopt; }
  /// A fault that changes while it lasts is given a beat() every so often; 0: never. Asked again
  /// after each beat.
  virtual Nanos beat_every() const { return 0; }
  virtual Status beat(Controls&, Random&) { return Done{}; }
  /// The nodes it touches, for the report; after inject().
  virtual std::vector<Place> targets() const = 0;
};

struct FaultVariant {
  std::string_view name;  ///< "halves"; the first row of a kind is what it does on its own
  std::string_view summary;
};

/// What a kind of fault asks of the ground and of the store.
enum class Needs : std::uint8_t {
  nothing,
  shaped_links,    ///< links that can be made worse (LinkControl::shapes)
  movable_clocks,  ///< nodes whose clocks can be moved
  own_disks,       ///< a disk of its own for each node
};

struct FaultSpec;

/// A row of the table of faults.
struct FaultKind {
  std::string_view name;
  std::string_view summary;
  std::string_view evidence;
  std::span<const FaultVariant> variants;
  std::unique_ptr<Fault> (*make)(const FaultSpec& spec, Random& random);
  Needs needs = Needs::nothing;
};

std::span<const FaultKind> all_faults();

/// "partition", "partition:halves", "kill@n2", "partition@n1|n2+n3", "link:delay@n1>n2".
struct FaultSpec {
  const FaultKind* kind = nullptr;
  std::string variant;                     ///< empty: any, drawn from the seed
  std::vector<std::vector<Place>> groups;  ///< of nodes that were named; none: drawn
  bool one_way = false;                    ///< from the first of two groups to the second alone

  std::string name() const;
  /// The nodes that were named, if it was one group of them.
  std::vector<Place> nodes() const { return groups.size() == 1 ? groups[0] : std::vector<Place>(); }
  bool needs_client_links() const { return variant == "clients"; }
};

/// Unknown kinds and variants are usage errors with a suggestion. Whether the nodes exist is for
/// the plan to say.
Result<FaultSpec> parse_fault(std::string_view text);

std::unique_ptr<Fault> make_kill(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_pause(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_slow(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_clock(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_disk(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_link(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_partition(const FaultSpec& spec, Random& random);
std::unique_ptr<Fault> make_swizzle(const FaultSpec& spec, Random& random);

/// The node that leads; if the store names none, any.
Place draw_leader(const Controls& controls, Random& random);
/// `count` distinct nodes.
std::vector<Place> draw_nodes(const Controls& controls, Random& random, std::size_t count);
/// "n1 n3"
std::string names_of(const Controls& controls, const std::vector<Place>& places);

}  // namespace consistory
