#pragma once
// The harness on trial: it runs every cell of the truth table of the reference store, and every bug
// that can be planted in it, and compares what it finds with what theory says.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "harness/stores/defects.h"
#include "harness/stores/truth_table.h"

namespace consistory {

struct SelftestOptions {
  int seeds = 20;         ///< runs of each cell
  int defect_seeds = 20;  ///< runs of each defect, at most
  std::uint64_t first_seed = 1;
  Nanos duration = 5 * kSecond;  ///< load of each run
  int jobs = 2;
  std::string only;  ///< cells and defects whose name has this in it; empty: all
  bool cells = true;
  bool defects = true;
  std::string out = "results/selftest";
  bool quick = false;    ///< only the cells and defects marked for it
  bool sandbox = false;  ///< cells in the sandbox, under every fault: only false alarms count
  bool quiet = false;
};

/// What the runs of one cell say of one model.
struct ModelTally {
  std::string model;
  Truth truth = Truth::cannot_show;
  std::string why;
  int violated = 0;  ///< runs
  int undecided = 0;
  std::uint64_t first_seed = 0;  ///< of a violation
  std::uint64_t operations = 0;  ///< until then, over all runs
  double seconds = 0;            ///< of load until then, over all runs
};

struct CellResult {
  std::string id;
  std::string arguments;
  int runs = 0;
  std::uint64_t operations = 0;
  std::vector<ModelTally> models;
  std::vector<std::string> failures;  ///< runs without a verdict

  int false_alarms() const;
  /// Models that can be violated and were not.
  std::vector<std::string> missed() const;
  /// Was each guarantee decided in some run?
  bool all_decided() const;
  /// Was any model violated that can be, if there is one?
  bool found_some() const;
};

struct DefectResult {
  std::string name;
  std::string arguments;
  int runs = 0;
  bool caught = false;
  std::string by;  ///< the weakest model that was violated
  std::uint64_t seed = 0;
  std::uint64_t operations = 0;
  double seconds = 0;
  std::vector<std::string> outside;  ///< violated, though it neither is nor implies what can break
  std::vector<std::string> control;  ///< violated without the defect, though guaranteed
  std::vector<std::string> failures;
};

struct SelftestResult {
  std::vector<CellResult> cells;
  std::vector<DefectResult> defects;
  SelftestOptions options;
  bool interrupted = false;

  /// No false alarm, nothing missed (but in the sandbox), every defect caught, every run with a
  /// verdict. A quick one has too few runs to find everything: it must find something in each cell.
  bool perfect() const;
};

/// Cells and defects that an earlier call with the same options finished are not run again.
Result<SelftestResult> perform_selftest(const SelftestOptions& options);

std::string selftest_json(const SelftestResult& result);
std::string selftest_markdown(const SelftestResult& result);
/// A few lines for a terminal.
std::string selftest_summary(const SelftestResult& result);

}  // namespace consistory
