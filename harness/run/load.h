#pragma once
// The load: concurrent sessions against the store, every operation journaled. One thread owns the
// sessions, the generators, the journal and the HTTP loop; the nemesis only hands over marks.

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "checkers/history/journal.h"
#include "harness/cluster/cluster.h"
#include "harness/run/pace.h"
#include "harness/run/plan.h"
#include "harness/run/progress.h"

namespace consistory {

/// Marks that other threads hand to the thread that owns the journal.
class MarkQueue {
 public:
  void push(Mark mark);
  std::vector<Mark> take();

 private:
  std::mutex mutex_;
  std::vector<Mark> marks_;
};

class Load {
 public:
  /// Starts the clients. All references must outlive this object.
  Load(const RunPlan& plan, Cluster& cluster, Journal& journal, MarkQueue& marks,
       Progress& progress);

  /// The zero of every time in the history (monotonic): when all clients were ready.
  Nanos started() const { return started_; }

  /// Issues operations until the duration is over, somebody interrupts, or a node dies that nothing
  /// killed (a store error); returns when every operation has its outcome.
  Status run();
  /// Reads each node's own copy of every key that was updated.
  Status read_finals();
  /// Takes the run's keys out of the store again; returns how many it could not take.
  std::size_t remove_keys();

  std::uint64_t issued() const { return issued_; }

 private:
  struct Session {
    std::string name;
    Place node = 1;
    Invocation invocation;
    bool final = false;
    std::string token;  ///< of the store; it goes where the session goes
  };

  Nanos now() const { return monotonic_now() - started_; }
  void issue_due();
  void issue(std::size_t slot, Invocation invocation);
  Invocation next_invocation(std::size_t session);
  Status send_issued();
  std::vector<std::size_t> complete(Nanos wait);
  void record_completion(const Session& session, const Completion& completion);
  Status watch_nodes();
  void show_state();
  void take_marks();

  const RunPlan& plan_;
  Cluster& cluster_;
  Journal& journal_;
  MarkQueue& marks_;
  Progress& progress_;
  Random random_;
  Random node_random_;
  std::vector<std::unique_ptr<Generator>> generators_;
  std::vector<Session> sessions_;  // the load's, then one for the final reads of each node
  std::deque<std::size_t> idle_;
  std::vector<std::size_t> issued_now_;  // journaled, to be sent once the journal is flushed
  std::unique_ptr<Clients> clients_;
  Nanos started_;
  Pace pace_{plan_.rate};
  Nanos last_watch_ = 0;
  std::uint64_t issued_ = 0;
  std::uint64_t ok_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace consistory
