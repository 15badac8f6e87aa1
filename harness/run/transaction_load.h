#pragma once
// The load of a transactional run: concurrent sessions, each with one transaction at a time, and
// every transaction journaled as Jepsen would (history.edn), so that Elle can judge it too.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "harness/cluster/cluster.h"
#include "harness/run/pace.h"
#include "harness/run/plan.h"
#include "harness/run/progress.h"

namespace consistory {

class TransactionLoad {
 public:
  struct Counts {
    std::uint64_t ok = 0, fail = 0, info = 0;
  };

  /// Creates the history at `path`. All references must outlive this object.
  static Result<std::unique_ptr<TransactionLoad>> create(const RunPlan& plan, Cluster& cluster,
                                                         Progress& progress,
                                                         const std::string& path, Nanos started);

  /// Issues transactions until the duration is over, somebody interrupts, or a node dies that
  /// nothing killed (a store error); returns when every one has its outcome.
  Status run();
  const Counts& counts() const { return counts_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Session {
    std::size_t process = 0;  // another one after each unknown outcome
    Place node = 1;
    std::vector<TransactionStep> steps;
  };

  TransactionLoad(const RunPlan& plan, Cluster& cluster, Progress& progress, std::FILE* file,
                  Nanos started);
  Nanos now() const { return monotonic_now() - started_; }
  Status issue_due();
  void complete(Nanos wait);
  Status watch();
  void record(const Session& session, std::string_view type,
              const std::vector<std::vector<Value>>* lists, const std::string& error);
  Status flush();

  const RunPlan& plan_;
  Cluster& cluster_;
  Progress& progress_;
  std::unique_ptr<std::FILE, Closer> file_;
  Nanos started_;
  Random random_, node_random_;
  std::unique_ptr<Generator> generator_;
  std::unique_ptr<Clients> clients_;
  std::vector<Session> sessions_;
  std::deque<std::size_t> idle_;
  std::string buffer_;
  std::uint64_t events_ = 0;
  Pace pace_{plan_.rate};
  Nanos last_watch_ = 0;
  std::size_t in_flight_ = 0;
  Counts counts_;
};

}  // namespace consistory
