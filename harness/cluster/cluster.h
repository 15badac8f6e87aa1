#pragma once
// Cluster: the nodes of a store as local processes, and control over them. Destruction ends every
// process it started.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/ground.h"
#include "harness/cluster/member.h"
#include "harness/stores/store.h"

namespace consistory {

struct ClusterOptions {
  std::size_t nodes = 3;
  std::string data_directory;  ///< one folder a node is made in it
  std::string log_directory;
  std::uint64_t seed = 0;
  bool own_disks = false;  ///< each node on a disk that can be broken
  bool attached = false;   ///< the nodes run elsewhere: nothing is started, nothing controlled
};

/// The controls may be used from one thread at a time beside the one that starts clients and asks
/// for unexpected ends.
class Cluster final : public ProcessControl, public ClockControl, public DiskControl {
 public:
  static Result<std::unique_ptr<Cluster>> start(const Store& store, std::unique_ptr<Ground> ground,
                                                const ClusterOptions& options);

  std::size_t size() const { return nodes_.size(); }
  static std::string name(Place node) { return "n" + std::to_string(node); }
  std::unique_ptr<Clients> clients(std::size_t slots) const;
  Controls controls();

  Result<std::string> kill(Place node) override;
  Status ensure_running(const std::vector<Place>& nodes) override;
  Result<std::string> pause(Place node) override;
  Status resume(Place node) override;
  void allow_end(Place node) override;
  void forbid_end(Place node) override;
  std::optional<Place> leader() override;
  Status set_skew(Place node, const ClockSkew& skew) override;
  std::optional<ClockReading> read_clocks(Place node) override;
  void set_trouble(Place node, const DiskTrouble& trouble) override;
  DiskCounters counters(Place node) const override;
  Result<std::string> lose_unsynced(Place node, bool torn) override;
  Result<std::string> flip_bit(Place node, Random& random) override;

  /// A node that ended though nobody killed it: its name, end and last words.
  std::optional<std::string> unexpected_end();
  std::optional<NodeStatus> status(Place node) const;

 private:
  Cluster(const Store& store, std::unique_ptr<Ground> ground, ClusterOptions options)
      : store_(store), options_(std::move(options)), ground_(std::move(ground)) {}
  Status lay_out();
  Status add_member(NodeLayout layout);
  Status start_all();
  Status prepare_and_spawn(Place node);
  Status spawn(Place node);
  Result<bool> start_again(Place node);
  Status await_ready(Place node);
  Status move_clocks(Place node);
  Member& at(Place node) const { return *nodes_[node - 1]; }

  const Store& store_;
  ClusterOptions options_;
  std::unique_ptr<Ground> ground_;  // outlives the nodes
  std::mutex mutex_;                // guards the processes
  std::vector<std::unique_ptr<Member>> nodes_;
};

}  // namespace consistory
