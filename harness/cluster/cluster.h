#pragma once
// Cluster: the nodes of a store as local processes, and control over them. Destruction ends every
// process it started.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/cluster/child_process.h"
#include "harness/cluster/ground.h"
#include "harness/stores/store.h"

namespace consistory {

struct ClusterOptions {
  std::size_t nodes = 3;
  std::string data_directory;  ///< one folder a node is made in it
  std::string log_directory;
  std::uint64_t seed = 0;
  Nanos start_timeout = 10 * kSecond;
};

/// ProcessControl may be used from one thread at a time beside the one that asks for URLs.
class Cluster final : public ProcessControl, public ClockControl {
 public:
  static Result<std::unique_ptr<Cluster>> start(const Store& store, std::unique_ptr<Ground> ground,
                                                const ClusterOptions& options);

  std::size_t size() const { return nodes_.size(); }
  static std::string name(Place node) { return "n" + std::to_string(node); }
  /// Where clients reach the node.
  std::string url(Place node) const;
  Controls controls();

  Result<std::string> kill(Place node) override;
  Status ensure_running(Place node) override;
  Result<std::string> pause(Place node) override;
  Status resume(Place node) override;
  std::optional<Place> leader() override;
  Status set_offset(Place node, Nanos offset) override;
  std::optional<Nanos> offset(Place node) const override;

  /// A node that ended though nobody killed it: its name, end and last words.
  std::optional<std::string> unexpected_end();
  std::optional<NodeStatus> status(Place node) const;

 private:
  struct Member {
    NodeLayout layout;
    std::optional<ChildProcess> process;
  };

  Cluster(const Store& store, std::unique_ptr<Ground> ground, ClusterOptions options)
      : store_(store), options_(std::move(options)), ground_(std::move(ground)) {}
  Status lay_out();
  Status spawn(Place node);
  Status await_ready(Place node);
  std::string status_url(Place node) const;
  std::string log_path(Place node) const;
  std::string last_words(Place node) const;
  Member& member(Place node) { return nodes_[node - 1]; }

  const Store& store_;
  ClusterOptions options_;
  std::unique_ptr<Ground> ground_;  // outlives the nodes
  std::mutex mutex_;                // guards the processes
  std::vector<Member> nodes_;
};

}  // namespace consistory
