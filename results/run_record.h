#pragma once
// Everything that is known of one run (or of one check of a recorded history): what the files and
// the reports are made of. Results persist and render it; they never decide a verdict.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checkers/agreement.h"
#include "checkers/anomalies.h"
#include "checkers/history/recording.h"
#include "checkers/judge.h"
#include "checkers/pressure.h"
#include "checkers/staleness.h"
#include "results/messages.h"

namespace consistory {

enum class Overall : std::uint8_t {
  holds,
  violated,
  inconclusive,
  store_failed,
  environment,
  interrupted
};
std::string_view name_of(Overall overall);

struct OverallVerdict {
  Overall word = Overall::inconclusive;
  int exit_code = 2;
  std::string sentence;               ///< the verdict in one sentence
  std::vector<std::string> frontier;  ///< the weakest broken models
};

struct FaultRecord {
  std::size_t number = 0;
  std::string name;
  std::string what;      ///< "n1 | n2 n3"
  std::string evidence;  ///< that it bit; empty: none
  std::string recovery;  ///< after it was healed; empty: none, or the heal itself waited for it
  std::vector<std::string> targets;
  Nanos requested_ns = -1;
  Nanos confirmed_ns = -1;
  Nanos healed_ns = -1;
};

struct NodeAvailability {
  std::string node;
  Counts counts;
  Nanos longest_gap_ns = 0;  ///< between two ok completions
};

struct Availability {
  std::vector<NodeAvailability> nodes;
  double ok_share_outside_faults =
      1;  ///< of operations invoked and completed while no fault was active
  std::size_t operations_outside_faults = 0;
  std::vector<Nanos> recovery_ns;  ///< per fault: from the heal to the next ok answer of a node it
                                   ///< struck; -1: none
  std::size_t acknowledged_updates_missing = 0;  ///< absent from some node's final copy
};

struct RunRecord {
  std::string id;
  std::string command;  ///< runs it again
  std::string store;
  std::string arguments;  ///< the load and the faults, for people
  std::uint64_t seed = 0;
  std::string started;  ///< UTC
  std::string status;   ///< running | finished | interrupted | store-failed | checked
  std::string failure;  ///< of the store, if it failed
  Nanos duration_ns = 0;
  Nanos check_ns = 0;
  std::vector<std::string> nodes;
  std::vector<std::string> left_out;  ///< workloads that the store cannot do
  std::vector<FaultRecord> faults;
  Recording recording;
  bool checked = false;
  double planned_operations = 0;  ///< by the rate; 0: not known
  Judgement judgement;
  std::set<std::string> required;     ///< claimed or asked for, with what they imply
  std::vector<std::string> promised;  ///< as stated
  bool promised_by_default = false;   ///< nobody stated any: every model that can be checked counts
  std::vector<std::string> required_by_user;  ///< --require
  std::vector<std::string> expected_violations;
  std::vector<std::string> models_judged;
  std::uint64_t check_steps = kDefaultCheckSteps;
  Nanos check_timeout = 0;         ///< of the judgement; 0: none
  std::uint64_t check_memory = 0;  ///< bytes of the process while it judges; 0: no limit
  Pressure pressure;
  Staleness staleness;
  Agreement agreement;
  std::vector<AnomalyGroup> anomalies;
  Availability availability;
  OverallVerdict overall;
  std::vector<Message> messages;  ///< of stores that let them be seen

  const History& history() const { return recording.history; }
};

/// Reconstructs the faults from the nemesis's marks in a history.
std::vector<FaultRecord> faults_of(const std::vector<Mark>& marks);

}  // namespace consistory
