#include "harness/run/plan_faults.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "base/suggest.h"
#include "harness/clocks/process_clock.h"
#include "harness/disks/faulty_disk.h"

namespace consistory {
namespace {

/// The wall clock alone, and without drifting, by the file that the store reads.
bool offset_file_serves(const FaultSpec& spec, const Store& store) {
  const bool plain = spec.variant.empty() || spec.variant == "jump" || spec.variant == "skew";
  return plain && !store.clock_offset_file({}).empty();
}

/// Nothing if the fault can be done, else why not.
Status can_do(const FaultSpec& spec, const RunArguments& arguments, const RunPlan& plan) {
  const std::string_view kind = spec.kind->name;
  const bool needs_peers = kind == "partition" && spec.variant != "clients";
  if (needs_peers && plan.nodes < 2) return usage_error("a partition needs at least two --nodes");
  const bool needs_three = spec.variant == "bridge" || spec.variant == "ring";
  if (needs_three && plan.nodes < 3)
    return usage_error(fmt::format("{} needs at least three --nodes", spec.name()));
  for (const std::vector<Place>& group : spec.groups) {
    for (const Place node : group) {
      if (node > plan.nodes)
        return usage_error(
            fmt::format("{}: there is no n{} among {} nodes", spec.name(), node, plan.nodes));
    }
  }
  const bool all_named = spec.groups.size() == 1 && spec.groups[0].size() >= plan.nodes;
  if (kind == "partition" && needs_peers && all_named)
    return usage_error(fmt::format("{}: nobody is left to be cut off from", spec.name()));
  if (!plan.store->survives(spec))
    return usage_error(
        fmt::format("{} does not come back by itself after {}", plan.store_name, spec.name()));
  const bool relay = arguments.ground == "relay";
  const bool elsewhere = !arguments.hosts.empty();
  const bool by_filter = spec.variant == "loss" || spec.variant == "narrow";
  if (elsewhere && spec.kind->needs != Needs::nothing && !by_filter)
    return usage_error(
        fmt::format("over ssh there are partition, link:loss, link:narrow, kill, pause and slow, "
                    "not {}",
                    spec.name()));
  switch (spec.kind->needs) {
    case Needs::shaped_links:
      if (plan.nodes < 2) return usage_error("links between nodes need at least two --nodes");
      if (relay)
        return usage_error(
            "on the relay ground links can only be cut: the fault link needs the sandbox");
      break;
    case Needs::own_disks:
      if (relay)
        return usage_error(
            "on the relay ground nodes have no disks of their own: the fault disk "
            "needs the sandbox");
      return can_mount_disks();
    case Needs::movable_clocks:
      return offset_file_serves(spec, *plan.store) ? Status(Done{}) : can_move_clocks();
    case Needs::nothing:
      break;
  }
  return Done{};
}

void add_all(const RunArguments& arguments, RunPlan& plan) {
  for (const FaultKind& kind : all_faults()) {
    if (!arguments.hosts.empty() && kind.name == "link") {
      for (const char* variant : {"loss", "narrow"}) plan.faults.push_back({&kind, variant, {}});
      continue;
    }
    const FaultSpec spec{&kind, "", {}};
    const Status possible = can_do(spec, arguments, plan);
    if (possible) plan.faults.push_back(spec);
    else plan.left_out.push_back(fmt::format("fault {}: {}", kind.name, possible.error().message));
  }
}

void add_named(const std::string& name, const RunArguments& arguments, RunPlan& plan,
               Problem& problem) {
  const Result<FaultSpec> spec = parse_fault(name);
  problem.take(spec);
  if (!spec) return;
  problem.take(can_do(*spec, arguments, plan));
  plan.faults.push_back(*spec);
}

void follow_schedule(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  const Result<std::vector<PlannedFault>> schedule = read_schedule(arguments.schedule);
  problem.take(schedule);
  if (!schedule) return;
  std::set<std::string> seen;
  for (const PlannedFault& planned : *schedule) {
    problem.take(can_do(planned.spec, arguments, plan));
    problem.unless(planned.at + planned.span <= plan.duration,
                   fmt::format("{}: {} goes on until after the end of the load: give a longer "
                               "--duration",
                               arguments.schedule, planned.spec.name()));
    if (seen.insert(planned.spec.name()).second) plan.faults.push_back(planned.spec);
  }
  plan.schedule = *schedule;
}

}  // namespace

void choose_faults(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  if (!arguments.schedule.empty()) return follow_schedule(arguments, plan, problem);
  for (const std::string& name : arguments.faults) {
    if (name == "none") continue;
    if (name == "all") add_all(arguments, plan);
    else add_named(name, arguments, plan, problem);
  }
  const ScheduleOptions options{plan.duration,
                                duration_of(arguments.fault_every, "--fault-every", problem),
                                duration_of(arguments.fault_for, "--fault-for", problem)};
  plan.schedule = plan_faults(plan.faults, options, Random(plan.seed).fork("schedule"));
}

namespace {

class ScheduleReader {
 public:
  explicit ScheduleReader(std::string path) : path_(std::move(path)) {}

  Result<std::vector<PlannedFault>> read() {
    toml::table file;
    try {
      file = toml::parse_file(path_);
    } catch (const toml::parse_error& error) {
      return at(error.source(), std::string(error.description()));
    }
    const toml::array* faults = file["fault"].as_array();
    if (faults == nullptr || faults->empty())
      return at(file.source(), "a schedule is made of [[fault]] tables with fault, at and for");
    std::vector<PlannedFault> schedule;
    for (const toml::node& entry : *faults) {
      if (!entry.is_table()) return at(entry.source(), "expected a table, written [[fault]]");
      const Result<PlannedFault> planned = read_fault(*entry.as_table());
      if (!planned) return planned.error();
      schedule.push_back(*planned);
    }
    for (const auto& [key, node] : file) {
      if (key.str() != "fault")
        return at(key.source(), unknown_name("key of a schedule", key.str(), {"fault"}));
    }
    std::stable_sort(schedule.begin(), schedule.end(),
                     [](const PlannedFault& a, const PlannedFault& b) { return a.at < b.at; });
    return schedule;
  }

 private:
  Error at(const toml::source_region& where, const std::string& what) const {
    return usage_error(
        fmt::format("{}:{}:{}: {}", path_, where.begin.line, where.begin.column, what));
  }

  Result<PlannedFault> read_fault(const toml::table& table) const {
    const std::vector<std::string> known = {"fault", "at", "for"};
    std::array<std::string, 3> words;
    for (const auto& [key, node] : table) {
      const auto place = std::find(known.begin(), known.end(), key.str());
      if (place == known.end())
        return at(key.source(), unknown_name("key of a fault", key.str(), known));
      const auto text = node.value<std::string>();
      if (!text) return at(node.source(), fmt::format("{} must be a string", key.str()));
      words[static_cast<std::size_t>(place - known.begin())] = *text;
    }
    const Result<FaultSpec> spec = parse_fault(words[0]);
    if (!spec) return at(table.source(), spec.error().message);
    const Result<Nanos> start = parse_duration(words[1]);
    if (!start) return at(table.source(), "at: " + start.error().message);
    const Result<Nanos> span = parse_duration(words[2]);
    if (!span) return at(table.source(), "for: " + span.error().message);
    return PlannedFault{*spec, *start, *span, true};
  }

  std::string path_;
};

}  // namespace

Result<std::vector<PlannedFault>> read_schedule(const std::string& path) {
  return ScheduleReader(path).read();
}

}  // namespace consistory
