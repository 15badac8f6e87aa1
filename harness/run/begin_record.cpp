#include "harness/run/begin_record.h"

#include <nlohmann/json.hpp>

#include "harness/cluster/cluster.h"

namespace consistory {

Mark mark_of(const FaultEvent& event, Nanos time) {
  nlohmann::ordered_json detail{{"number", event.number}};
  if (!event.what.empty()) detail["what"] = event.what;
  if (!event.targets.empty()) detail["targets"] = event.targets;
  if (!event.evidence.empty()) detail["evidence"] = event.evidence;
  if (!event.recovery.empty()) detail["recovery"] = event.recovery;
  return {time, "nemesis", event.fault, std::string(name_of(event.state)), detail.dump()};
}

RunRecord begin_record(const RunPlan& plan, const RunDirectory& directory) {
  RunRecord record;
  record.id = directory.id();
  record.command = plan.command;
  record.store = plan.store->description();
  record.arguments = plan.description;
  record.seed = plan.seed;
  record.started = calendar_utc();
  record.status = "running";
  record.promised = plan.promised;
  record.required_by_user = plan.required_by_user;
  record.expected_violations = plan.expect_violation;
  record.check_steps = plan.check_steps;
  record.check_timeout = plan.check_timeout;
  record.check_memory = plan.check_memory;
  record.left_out = plan.left_out;
  for (Place node = 1; node <= plan.nodes; ++node) record.nodes.push_back(Cluster::name(node));
  return record;
}

}  // namespace consistory
