#include "results/availability.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace consistory {
namespace {

using Json = nlohmann::json;

bool is_load(const Operation& operation) { return !operation.final; }

std::vector<NodeAvailability> per_node(const History& history) {
  std::vector<NodeAvailability> nodes;
  for (const std::string& name : history.nodes) nodes.push_back({name, {}, 0});
  std::vector<Nanos> last(nodes.size(), -1);
  for (const Operation& operation : history.operations) {
    if (operation.node == kNoNode || !is_load(operation)) continue;
    NodeAvailability& node = nodes[operation.node];
    node.counts.ok += operation.outcome == Outcome::ok ? 1 : 0;
    node.counts.fail += operation.outcome == Outcome::fail ? 1 : 0;
    node.counts.info += operation.outcome == Outcome::info ? 1 : 0;
    if (operation.outcome != Outcome::ok) continue;
    Nanos& previous = last[operation.node];
    if (previous >= 0)
      node.longest_gap_ns = std::max(node.longest_gap_ns, operation.complete_ns - previous);
    previous = std::max(previous, operation.complete_ns);
  }
  return nodes;
}

void measure_outside_faults(const History& history, const std::vector<FaultRecord>& faults,
                            Availability& availability) {
  std::size_t all = 0;
  std::size_t ok = 0;
  for (const Operation& operation : history.operations) {
    if (!is_load(operation)) continue;
    const Nanos end =
        operation.complete_ns >= 0 ? operation.complete_ns : operation.invoke_ns + kSecond;
    const bool touched = std::any_of(faults.begin(), faults.end(), [&](const FaultRecord& fault) {
      const Nanos healed = fault.healed_ns < 0 ? INT64_MAX : fault.healed_ns;
      return operation.invoke_ns <= healed && end >= fault.requested_ns;
    });
    if (touched) continue;
    ++all;
    ok += operation.outcome == Outcome::ok ? 1 : 0;
  }
  availability.operations_outside_faults = all;
  availability.ok_share_outside_faults =
      all == 0 ? 1 : static_cast<double>(ok) / static_cast<double>(all);
}

Nanos recovery_after(const History& history, const FaultRecord& fault) {
  Nanos first = INT64_MAX;
  for (const Operation& operation : history.operations) {
    const bool answered =
        operation.outcome == Outcome::ok && operation.node != kNoNode && is_load(operation);
    if (!answered || operation.complete_ns < fault.healed_ns) continue;
    const std::string& node = history.nodes[operation.node];
    const bool struck =
        std::find(fault.targets.begin(), fault.targets.end(), node) != fault.targets.end();
    if (struck) first = std::min(first, operation.complete_ns);
  }
  return first == INT64_MAX ? -1 : first - fault.healed_ns;
}

/// Appends that some node's final list lacks; writes newer, by the store's version, than what some
/// node holds in the end, or any write where a node holds nothing.
std::size_t missing_updates(const History& history) {
  std::vector<std::vector<const Operation*>> finals(history.keys.size());
  for (const Operation& operation : history.operations) {
    if (operation.final && operation.outcome == Outcome::ok)
      finals[operation.key].push_back(&operation);
  }
  std::size_t missing = 0;
  for (const Operation& update : history.operations) {
    if (!update.updates() || update.outcome != Outcome::ok) continue;
    const bool lost = std::any_of(
        finals[update.key].begin(), finals[update.key].end(), [&](const Operation* read) {
          if (history.is_list[update.key]) {
            const std::span<const ValueId> list = history.elements_of(*read);
            return std::find(list.begin(), list.end(), update.value) == list.end();
          }
          const bool comparable = update.has_version() && read->has_version();
          return comparable && read->version < update.version;
        });
    missing += lost ? 1 : 0;
  }
  return missing;
}

}  // namespace

std::string_view name_of(Overall overall) {
  switch (overall) {
    case Overall::holds:
      return "holds";
    case Overall::violated:
      return "violated";
    case Overall::inconclusive:
      return "inconclusive";
    case Overall::store_failed:
      return "store-failed";
    case Overall::environment:
      return "environment";
    case Overall::interrupted:
      return "interrupted";
  }
  return {};
}

Availability measure_availability(const History& history, const std::vector<FaultRecord>& faults) {
  Availability availability;
  availability.nodes = per_node(history);
  measure_outside_faults(history, faults, availability);
  for (const FaultRecord& fault : faults) {
    availability.recovery_ns.push_back(fault.healed_ns < 0 ? -1 : recovery_after(history, fault));
  }
  availability.acknowledged_updates_missing = missing_updates(history);
  return availability;
}

std::vector<FaultRecord> faults_of(const std::vector<Mark>& marks) {
  std::map<std::size_t, FaultRecord> faults;
  for (const Mark& mark : marks) {
    if (mark.actor != "nemesis") continue;
    const Json detail = Json::parse(mark.detail, nullptr, false);
    if (!detail.is_object() || !detail.value("number", Json()).is_number_unsigned()) continue;
    FaultRecord& fault = faults[detail["number"].get<std::size_t>()];
    fault.number = detail["number"].get<std::size_t>();
    fault.name = mark.what;
    if (detail.value("what", Json()).is_string()) fault.what = detail["what"];
    if (detail.value("evidence", Json()).is_string()) fault.evidence = detail["evidence"];
    if (detail.value("recovery", Json()).is_string()) fault.recovery = detail["recovery"];
    const Json targets = detail.value("targets", Json::array());
    if (targets.is_array()) {
      fault.targets.clear();
      for (const Json& target : targets) {
        if (target.is_string()) fault.targets.push_back(target);
      }
    }
    if (mark.state == "requested") fault.requested_ns = mark.time;
    if (mark.state == "confirmed") fault.confirmed_ns = mark.time;
    if (mark.state == "healed") fault.healed_ns = mark.time;
  }
  std::vector<FaultRecord> all;
  for (auto& [number, fault] : faults) all.push_back(std::move(fault));
  return all;
}

}  // namespace consistory
