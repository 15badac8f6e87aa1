#pragma once
// A run as asked for (RunArguments: words of the command line or of a campaign file) and as it will
// be done (RunPlan: checked and complete).

#include <memory>
#include <string>
#include <vector>

#include "checkers/judge.h"
#include "checkers/transactions/levels.h"
#include "harness/stores/store.h"
#include "nemesis/schedule.h"
#include "workloads/workload.h"

namespace consistory {

struct RunArguments {
  std::string store = "ref";
  StoreSettings store_settings;
  std::vector<std::string> models;  ///< to judge; empty: all
  std::vector<std::string> require;
  std::vector<std::string> expect_violation;
  std::vector<std::string> workloads;  ///< empty: all that the store can do
  std::vector<std::string> faults = {"partition", "kill"};
  int nodes = 3;
  int concurrency = 10;
  double rate = 500;
  int keys = 5;
  double read_ratio = 0.5;
  std::string duration = "30s";
  std::string fault_every;
  std::string fault_for;
  std::vector<std::string> endpoints;  ///< of nodes that run elsewhere
  std::vector<std::string> hosts;      ///< where those nodes run, as ssh takes them
  std::string restart;                 ///< the command that starts a node there
  bool yes_write = false;              ///< even though an endpoint is not of this machine
  bool keep_keys = false;              ///< at the end, of an attached store
  std::string schedule;                ///< a file; empty: drawn from `faults`
  std::string op_timeout = "1s";
  std::string settle = "2s";  ///< before final reads, where a store cannot tell when to
  std::string sessions = "moving";
  std::string seed = "random";
  std::string out;              ///< empty: $CONSISTORY_RESULTS, else results/runs
  std::string ground = "auto";  ///< or sandbox, relay, ssh
  bool pcap = false;            ///< capture all packets
  int port_base = 0;
  bool check = true;
  std::uint64_t check_steps = kDefaultCheckSteps;
  std::string check_timeout;  ///< empty: none
  std::string check_memory;   ///< empty: no limit
};

/// Where the nodes stand (harness/cluster/ground.h).
enum class GroundChoice : std::uint8_t { relay, sandbox, attached, hosts };

struct RunPlan {
  std::unique_ptr<Store> store;
  std::string store_name;
  std::vector<const Model*> models;
  std::vector<const LevelInfo*> levels;  ///< of a transactional run, in place of models
  std::vector<std::string> promised;     ///< claims and --require
  std::vector<std::string> required_by_user;
  std::vector<std::string> expect_violation;
  std::vector<const Workload*> workloads;
  std::vector<std::string> left_out;
  WorkloadOptions workload_options;
  std::vector<FaultSpec> faults;
  std::vector<PlannedFault> schedule;
  std::size_t nodes = 3;
  std::size_t concurrency = 10;
  double rate = 500;  ///< operations a second over all sessions; 0: as fast as answers come
  Nanos duration = 0;
  Nanos op_timeout = kSecond;
  Nanos settle = 2 * kSecond;
  bool sessions_move = true;
  std::uint64_t seed = 0;
  std::string out;
  GroundChoice ground = GroundChoice::relay;
  std::vector<Endpoint> endpoints;  ///< attached, hosts: of the nodes
  std::vector<HostAddress> hosts;   ///< of the same, if faults may strike there
  std::string restart;
  bool keep_keys = false;
  std::string key_prefix;  ///< of every key; empty: none
  bool pcap = false;
  unsigned short port_base = 0;
  bool check = true;
  std::uint64_t check_steps = kDefaultCheckSteps;
  Nanos check_timeout = 0;         ///< 0: none
  std::uint64_t check_memory = 0;  ///< bytes; 0: no limit
  std::string command;             ///< runs it again
  std::string description;         ///< load and faults, for people

  /// Is it judged by isolation levels?
  bool transactional() const { return !workloads.empty() && workloads.front()->transactions; }
  bool relay_clients() const;
  bool own_disks() const;
};

/// Usage errors name the wrong argument and what it should be.
Result<RunPlan> make_plan(const RunArguments& arguments);

}  // namespace consistory
