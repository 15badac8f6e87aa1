#pragma once
// Site: where a run takes place: the ground, and on it the cluster of the store on trial, with its
// folders in the run's directory.

#include <memory>

#include "harness/cluster/cluster.h"
#include "harness/run/plan.h"
#include "results/run_directory.h"

namespace consistory {

class Site {
 public:
  /// Starts every node. An error of the environment or of the store if one does not come up.
  static Result<std::unique_ptr<Site>> open(const RunPlan& plan, const RunDirectory& directory);

  Cluster& cluster() { return *cluster_; }
  /// Ends every node. What they wrote is of no use any more, unless it is kept for people to see.
  void close(bool keep_data);

 private:
  Site(const RunPlan& plan, const RunDirectory& directory) : plan_(plan), directory_(directory) {}
  Status start();
  ClusterOptions cluster_options() const;
  bool data_is_shown_elsewhere() const;
  Status open_data_to_others() const;
  Result<std::unique_ptr<Ground>> make_ground() const;
  std::string table_name() const;

  const RunPlan& plan_;
  RunDirectory directory_;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace consistory
