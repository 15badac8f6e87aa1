#include "harness/run/trial.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "checkers/models/registry.h"
#include "harness/cluster/child_process.h"
#include "harness/run/interrupt.h"

namespace consistory {
namespace {

using Json = nlohmann::json;

constexpr Nanos kLook = 100 * kMillisecond;

/// The guarantees that the name of a model or set stands for; none for other models.
std::optional<GuaranteeSet> guarantees_of(const std::string& name) {
  const Result<const Model*> model = find_model(name);
  return model ? (*model)->guarantees : std::nullopt;
}

TrialOutcome failed(std::string why) {
  TrialOutcome outcome;
  outcome.failure = std::move(why);
  return outcome;
}

TrialOutcome read_verdict(const std::string& place) {
  std::ifstream file(place + "/latest/verdict.json");
  const Json verdict = Json::parse(file, nullptr, false);
  if (!verdict.is_object()) return failed("no verdict: see " + place + "/log");
  TrialOutcome outcome;
  outcome.directory = place;
  const std::string status = verdict.value("status", "");
  if (status != "finished") outcome.failure = fmt::format("{} ({})", status, place);
  const bool transactions = verdict.contains("levels");
  outcome.operations = transactions
                           ? verdict.value("ok", std::uint64_t{0})
                           : verdict.at("confidence").at("ops").value("ok", std::uint64_t{0});
  const char* judged = transactions ? "level" : "model";
  for (const Json& row : verdict.value(transactions ? "levels" : "models", Json::array())) {
    const std::string state = row.value("state", "");
    if (state == "violated") outcome.violated.insert(row.value(judged, ""));
    else if (state != "holds") outcome.undecided.insert(row.value(judged, ""));
  }
  for (const Json& set : verdict.value("violated_sets", Json::array()))
    outcome.violated.insert(set.get<std::string>());
  return outcome;
}

}  // namespace

bool TrialOutcome::violates(const std::string& model) const {
  if (violated.contains(model)) return true;
  const std::optional<GuaranteeSet> wanted = guarantees_of(model);
  return wanted && std::any_of(violated.begin(), violated.end(), [&](const std::string& name) {
           const std::optional<GuaranteeSet> set = guarantees_of(name);
           return set && (*set & ~*wanted) == 0;
         });
}

TrialOutcome perform_trial(const std::vector<std::string>& arguments, const std::string& place,
                           Nanos timeout) {
  std::error_code error;
  std::filesystem::remove_all(place, error);  // or an old verdict could pass for this trial's
  std::filesystem::create_directories(place, error);
  Command command{own_executable(), {"run", "-q", "-o", place}};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  Result<ChildProcess> process = ChildProcess::spawn(command, place + "/log");
  if (!process) return failed(process.error().message);
  const Nanos deadline = monotonic_now() + timeout;
  std::optional<int> end;
  while (!end && monotonic_now() < deadline && interrupts() == 0)
    end = process->wait(std::min(deadline, monotonic_now() + kLook));
  if (interrupts() > 0) return failed("interrupted");
  if (!end) return failed(fmt::format("no end within its time ({})", place));
  const bool judged = WIFEXITED(*end) && WEXITSTATUS(*end) <= 3;
  if (!judged) return failed(fmt::format("the controller {} ({})", describe_end(*end), place));
  try {
    return read_verdict(place);
  } catch (const Json::exception& malformed) {
    return failed(fmt::format("{} ({})", malformed.what(), place));
  }
}

}  // namespace consistory
