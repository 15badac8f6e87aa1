#include "checkers/pressure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace consistory {
namespace {

/// Who uses a key, and whether anyone updates it.
struct Use {
  SessionId first = UINT32_MAX;
  bool shared = false;
  bool updated = false;

  void add(const Operation& operation) {
    if (first == UINT32_MAX) first = operation.session;
    shared = shared || operation.session != first;
    updated = updated || operation.updates();
  }
};

Counts count(const History& history) {
  Counts counts;
  std::vector<Use> uses(history.keys.size());
  for (const Operation& operation : history.operations) {
    if (operation.final) continue;
    counts.ok += operation.outcome == Outcome::ok ? 1 : 0;
    counts.fail += operation.outcome == Outcome::fail ? 1 : 0;
    counts.info += operation.outcome == Outcome::info ? 1 : 0;
    if (operation.outcome == Outcome::fail) continue;
    uses[operation.key].add(operation);
  }
  for (const Use& use : uses) counts.contended_keys += use.updated && use.shared ? 1 : 0;
  return counts;
}

bool has_ok_read(const History& history, Nanos from) {
  return std::any_of(
      history.operations.begin(), history.operations.end(), [&](const Operation& operation) {
        return operation.reads() && operation.outcome == Outcome::ok && operation.invoke_ns >= from;
      });
}

void look_at_faults(const History& history, const std::vector<Mark>& marks, Pressure& pressure) {
  Nanos healed = -1;
  for (const Mark& mark : marks) {
    if (mark.actor != "nemesis") continue;
    if (mark.state == "healed") healed = std::max(healed, mark.time);
    if (mark.state == "unconfirmed") {
      pressure.missing.push_back(
          fmt::format("the fault {} at {:.1f} s left no evidence that it bit (a longer --fault-for "
                      "or a higher --rate helps)",
                      mark.what, static_cast<double>(mark.time) / kSecond));
    }
  }
  if (healed >= 0 && !has_ok_read(history, healed)) {
    pressure.missing.emplace_back(
        "no read succeeded after the last fault was healed (a longer --duration helps)");
  }
}

}  // namespace

Pressure measure_pressure(const History& history, const std::vector<Mark>& marks) {
  Pressure pressure;
  pressure.counts = count(history);
  const Counts& counts = pressure.counts;
  if (!has_ok_read(history, INT64_MIN)) pressure.missing.emplace_back("no read succeeded");
  if (counts.contended_keys == 0) {
    pressure.missing.emplace_back(
        "no key was updated and used by two sessions (fewer --keys or more sessions help)");
  }
  const bool refused =
      static_cast<double>(counts.ok) < kOkShareMin * static_cast<double>(counts.total());
  if (refused) {
    pressure.missing.push_back(
        fmt::format("only {} of {} operations succeeded", counts.ok, counts.total()));
  }
  look_at_faults(history, marks, pressure);
  return pressure;
}

}  // namespace consistory
