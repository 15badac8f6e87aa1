#include "harness/run/selftest.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "base/duration.h"
#include "base/parallel.h"
#include "base/suggest.h"
#include "checkers/models/registry.h"
#include "harness/run/interrupt.h"
#include "harness/run/progress.h"
#include "harness/run/selftest_files.h"
#include "harness/run/trial.h"

namespace consistory {
namespace {

constexpr Nanos kTrialOverhead = 60 * kSecond;  // starting, settling, judging

/// The command line of a cell's run, but for the seed: of the first, the third… or of those
/// between.
std::vector<std::string> arguments_of(const TruthCell& cell, const SelftestOptions& options,
                                      bool in_turn) {
  std::vector<std::string> words = words_of(cell.settings);
  const auto add = [&](const char* flag, const std::string& value) {
    words.insert(words.end(), {flag, value});
  };
  const std::vector<std::string>& load = in_turn ? cell.in_turn : cell.load;
  add("--sessions", cell.moving ? "moving" : "pinned");
  add("--workload", cell.workload);
  if (options.sandbox) {
    // A lease is kept by a clock: where it is read by, clocks are left alone.
    const bool by_lease = setting(cell.settings, "reads", "") == "lease";
    add("--fault", by_lease ? "partition,link,kill,pause,slow,disk" : "all");
    add("--ground", "sandbox");
    if (std::find(load.begin(), load.end(), "--fault-every") == load.end()) {
      add("--fault-every", "900ms");
      add("--fault-for", "600ms");
    }
  } else {
    add("--fault", cell.faults.empty() ? "none" : join(cell.faults, ","));
  }
  add("--duration", format_duration(options.duration));
  words.insert(words.end(), load.begin(), load.end());
  return words;
}

std::vector<std::string> arguments_of(const DefectCase& defect, const SelftestOptions& options) {
  std::vector<std::string> words = words_of(defect.settings);
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {flag, value});
  };
  add("--sessions", defect.moving ? "moving" : "pinned");
  add("--workload", defect.workload);
  add("--fault", defect.faults.empty() ? "none" : join(defect.faults, ","));
  add("--fault-every", defect.fault_every);
  add("--fault-for", defect.fault_for);
  words.insert(words.end(), defect.load.begin(), defect.load.end());
  add("--duration", format_duration(options.duration));
  return words;
}

/// Ports of its own for each trial, and none that the system hands out: the port of a node that is
/// down must not become that of another trial's.
int next_port_base() {
  static std::atomic<int> trials = getpid() * 37;  // two selftests at once stay apart
  constexpr int kFirst = 20'000, kPlaces = 700, kPortsEach = 16;
  return kFirst + trials++ % kPlaces * kPortsEach;
}

TrialOutcome try_once(std::vector<std::string> arguments, std::uint64_t seed,
                      const std::string& place, const SelftestOptions& options) {
  arguments.insert(arguments.end(), {"--seed", std::to_string(seed), "--port-base",
                                     std::to_string(next_port_base())});
  return perform_trial(arguments, place, options.duration + kTrialOverhead);
}

void forget(const std::string& place) {
  std::error_code ignored;
  std::filesystem::remove_all(place, ignored);
}

/// The models that a cell speaks of: all of the table, and the sets that it names.
std::vector<ModelTally> blank_tallies(const TruthCell& cell) {
  std::vector<std::string> names = model_names();
  for (const auto* reasons : {&cell.guaranteed, &cell.violable}) {
    for (const TruthReason& reason : *reasons) {
      for (const std::string& model : reason.models) {
        if (std::find(names.begin(), names.end(), model) == names.end()) names.push_back(model);
      }
    }
  }
  std::vector<ModelTally> tallies;
  for (const std::string& name : names) {
    ModelTally& tally = tallies.emplace_back();
    tally.model = name;
    tally.truth = cell.truth_of(name);
    tally.why = cell.why(name);
  }
  return tallies;
}

void count(CellResult& result, const TrialOutcome& outcome, std::uint64_t seed, double seconds) {
  for (ModelTally& tally : result.models) {
    tally.undecided += outcome.undecided.contains(tally.model) ? 1 : 0;
    if (!outcome.violates(tally.model)) continue;
    if (tally.violated++ > 0) continue;
    tally.first_seed = seed;
    tally.operations = result.operations;
    tally.seconds = seconds;
  }
}

bool alarms(const CellResult& result, const TrialOutcome& outcome) {
  return std::any_of(result.models.begin(), result.models.end(), [&](const ModelTally& tally) {
    return tally.truth != Truth::violable && outcome.violates(tally.model);
  });
}

CellResult blank_result(const TruthCell& cell, const SelftestOptions& options) {
  std::string arguments = join(arguments_of(cell, options, false), " ");
  if (!cell.in_turn.empty())
    arguments += ", in turn with " + join(arguments_of(cell, options, true), " ");
  return {cell.id(), arguments, 0, 0, blank_tallies(cell), {}};
}

DefectResult blank_result(const DefectCase& defect, const SelftestOptions& options) {
  DefectResult result;
  result.name = defect.name;
  result.arguments = join(arguments_of(defect, options), " ");
  return result;
}

CellResult run_cell(const TruthCell& cell, const SelftestOptions& options,
                    const std::string& place) {
  CellResult result = blank_result(cell, options);
  for (int i = 0; i < options.seeds && interrupts() == 0; ++i) {
    const std::uint64_t seed = options.first_seed + static_cast<std::uint64_t>(i);
    const std::string folder = fmt::format("{}/{}", place, seed);
    const bool in_turn = i % 2 == 1 && !cell.in_turn.empty();
    const TrialOutcome outcome =
        try_once(arguments_of(cell, options, in_turn), seed, folder, options);
    if (interrupts() > 0) break;
    ++result.runs;
    result.operations += outcome.operations;
    if (!outcome.failure.empty())
      result.failures.push_back(fmt::format("seed {}: {}", seed, outcome.failure));
    const double seconds = result.runs * static_cast<double>(options.duration) / kSecond;
    count(result, outcome, seed, seconds);
    if (outcome.failure.empty() && !alarms(result, outcome)) forget(folder);
  }
  return result;
}

bool is_or_implies(const std::string& model, const std::vector<std::string>& weakest) {
  return std::any_of(weakest.begin(), weakest.end(),
                     [&](const std::string& name) { return implies(model, name); });
}

const TruthCell* cell_of(const DefectCase& defect) {
  const auto settings = complete_reference_settings(defect.settings, 3);
  CONSISTORY_CHECK(static_cast<bool>(settings), "a defect's settings are a valid configuration");
  return find_cell(*settings, defect.workload == "append", defect.moving);
}

/// Guaranteed without the defect, so that its violation tells of the defect.
std::vector<std::string> broken_guarantees(const TruthCell& cell, const TrialOutcome& outcome) {
  std::vector<std::string> broken;
  for (const std::string& model : model_names()) {
    if (cell.truth_of(model) == Truth::guaranteed && outcome.violates(model))
      broken.push_back(model);
  }
  for (const std::string& model : cell.guaranteed_models()) {
    if (model.find('+') != std::string::npos && outcome.violates(model)) broken.push_back(model);
  }
  return broken;
}

/// One seed with the defect, and the same seed without it.
void try_defect(const DefectCase& defect, std::uint64_t seed, const SelftestOptions& options,
                const std::string& place, DefectResult& result) {
  const TruthCell* cell = cell_of(defect);
  std::vector<std::string> arguments = arguments_of(defect, options);
  const std::string control = fmt::format("{}/{}-without", place, seed);
  const TrialOutcome without = try_once(arguments, seed, control, options);
  arguments.insert(arguments.end(), {"--defect", defect.name});
  const std::string folder = fmt::format("{}/{}", place, seed);
  const TrialOutcome with = try_once(arguments, seed, folder, options);
  if (interrupts() > 0) return;
  ++result.runs;
  result.operations += with.operations;
  result.seconds += static_cast<double>(options.duration) / kSecond;
  for (const TrialOutcome* outcome : {&without, &with}) {
    if (!outcome->failure.empty()) result.failures.push_back(outcome->failure);
  }
  for (const std::string& model : broken_guarantees(*cell, without))
    result.control.push_back(model);
  for (const std::string& model : broken_guarantees(*cell, with)) {
    if (!is_or_implies(model, defect.weakest)) result.outside.push_back(model);
  }
  for (const std::string& model : defect.weakest) {
    if (result.caught || !with.violates(model)) continue;
    result.caught = true;
    result.by = model;
    result.seed = seed;
  }
  if (without.failure.empty() && result.control.empty()) forget(control);
  if (with.failure.empty() && result.outside.empty()) forget(folder);
}

DefectResult run_defect(const DefectCase& defect, const SelftestOptions& options,
                        const std::string& place) {
  DefectResult result = blank_result(defect, options);
  for (int i = 0; i < options.defect_seeds && !result.caught && interrupts() == 0; ++i)
    try_defect(defect, options.first_seed + static_cast<std::uint64_t>(i), options, place, result);
  return result;
}

class Selftest {
 public:
  explicit Selftest(const SelftestOptions& options) : options_(options), progress_(options.quiet) {}

  SelftestResult perform() {
    for (const TruthCell& cell : truth_table()) {
      if (options_.cells && wanted(cell.id(), cell.quick)) cells_.push_back(&cell);
    }
    for (const DefectCase& defect : all_defects()) {
      if (options_.defects && wanted(defect.name, defect.quick)) defects_.push_back(&defect);
    }
    result_.options = options_;
    result_.cells.resize(cells_.size());
    result_.defects.resize(defects_.size());
    set_worker_count(static_cast<std::size_t>(options_.jobs));
    in_parallel(cells_.size() + defects_.size(), [this](std::size_t item, std::size_t) {
      if (interrupts() > 0) return;
      if (item < defects_.size()) do_defect(item);
      else do_cell(item - defects_.size());
    });
    result_.interrupted = interrupts() > 0;
    std::erase_if(result_.cells, [](const CellResult& cell) { return cell.id.empty(); });
    std::erase_if(result_.defects, [](const DefectResult& defect) { return defect.name.empty(); });
    return std::move(result_);
  }

 private:
  bool wanted(const std::string& name, bool quick) const {
    if (options_.quick && !quick) return false;
    return options_.only.empty() || name.find(options_.only) != std::string::npos;
  }

  std::string place_of(const std::string& name) const {
    std::string plain;
    for (const char c : name) plain += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
    return options_.out + "/" + plain;
  }

  void do_cell(std::size_t number) {
    const TruthCell& cell = *cells_[number];
    const std::string place = place_of(cell.id());
    std::optional<CellResult> result = read_cell(place, blank_result(cell, options_), options_);
    const bool fresh = !result;
    if (fresh) result = run_cell(cell, options_, place + "/runs");
    if (interrupts() > 0 && fresh) return;
    if (fresh) static_cast<void>(write_cell(place, *result, options_));
    const std::size_t missed = result->missed().size();
    tell(fmt::format("{}: {} runs, {} false alarms, {} missed{}", result->id, result->runs,
                     result->false_alarms(), missed,
                     missed == 0 ? "" : " (" + join(result->missed(), ", ") + ")"));
    result_.cells[number] = std::move(*result);
  }

  void do_defect(std::size_t number) {
    const DefectCase& defect = *defects_[number];
    const std::string place = place_of("defect " + defect.name);
    std::optional<DefectResult> result =
        read_defect(place, blank_result(defect, options_), options_);
    const bool fresh = !result;
    if (fresh) result = run_defect(defect, options_, place + "/runs");
    if (interrupts() > 0 && fresh) return;
    if (fresh) static_cast<void>(write_defect(place, *result, options_));
    tell(
        fmt::format("defect {}: {}{}{}", result->name,
                    result->caught ? "caught by " + result->by : "NOT caught",
                    result->outside.empty() ? "" : "; beyond it: " + join(result->outside, ", "),
                    result->control.empty() ? "" : "; without it: " + join(result->control, ", ")));
    result_.defects[number] = std::move(*result);
  }

  void tell(const std::string& line) {
    const std::lock_guard lock(mutex_);
    progress_.event(line);
  }

  const SelftestOptions& options_;
  Progress progress_;
  std::mutex mutex_;
  std::vector<const TruthCell*> cells_;
  std::vector<const DefectCase*> defects_;
  SelftestResult result_;
};

}  // namespace

int CellResult::false_alarms() const {
  int count = 0;
  for (const ModelTally& tally : models) {
    if (tally.truth != Truth::violable) count += tally.violated;
  }
  return count;
}

std::vector<std::string> CellResult::missed() const {
  std::vector<std::string> names;
  for (const ModelTally& tally : models) {
    if (tally.truth == Truth::violable && tally.violated == 0) names.push_back(tally.model);
  }
  return names;
}

bool CellResult::all_decided() const {
  return std::all_of(models.begin(), models.end(), [&](const ModelTally& tally) {
    return tally.truth != Truth::guaranteed || tally.undecided < runs;
  });
}

bool CellResult::found_some() const {
  bool can = false, found = false;
  for (const ModelTally& tally : models) {
    can = can || tally.truth == Truth::violable;
    found = found || (tally.truth == Truth::violable && tally.violated > 0);
  }
  return found || !can;
}

bool SelftestResult::perfect() const {
  const bool sound = std::all_of(cells.begin(), cells.end(), [&](const CellResult& cell) {
    const bool found =
        options.sandbox || (options.quick ? cell.found_some() : cell.missed().empty());
    return cell.false_alarms() == 0 && found && cell.failures.empty() && cell.all_decided();
  });
  return sound && !interrupted &&
         std::all_of(defects.begin(), defects.end(), [](const DefectResult& defect) {
           return defect.caught && defect.outside.empty() && defect.control.empty() &&
                  defect.failures.empty();
         });
}

Result<SelftestResult> perform_selftest(const SelftestOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error)
    return environment_error(fmt::format("cannot create {}: {}", options.out, error.message()));
  SelftestResult result = Selftest(options).perform();
  if (result.cells.empty() && result.defects.empty() && !result.interrupted)
    return usage_error(fmt::format("no cell and no defect has \"{}\" in its name", options.only));
  return result;
}

}  // namespace consistory
