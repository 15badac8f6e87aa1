// The files of a selftest: one JSON a cell or defect, and the table of all as Markdown and JSON.
#include "harness/run/selftest_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/duration.h"
#include "base/suggest.h"
#include "checkers/models/registry.h"
#include "results/run_directory.h"

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const CellResult& cell) {
  Json models = Json::array();
  for (const ModelTally& t : cell.models) {
    Json row{{"model", t.model},
             {"truth", name_of(t.truth)},
             {"why", t.why},
             {"violated_in_runs", t.violated},
             {"undecided_in_runs", t.undecided}};
    if (t.violated > 0) {
      row["first_seed"] = t.first_seed;
      row["after_operations"] = t.operations;
      row["after_seconds"] = t.seconds;
    }
    models.push_back(std::move(row));
  }
  return {{"cell", cell.id},
          {"arguments", cell.arguments},
          {"runs", cell.runs},
          {"operations", cell.operations},
          {"false_alarms", cell.false_alarms()},
          {"missed", cell.missed()},
          {"failures", cell.failures},
          {"models", std::move(models)}};
}

Json to_json(const DefectResult& d) {
  return {{"defect", d.name},
          {"arguments", d.arguments},
          {"runs", d.runs},
          {"caught", d.caught},
          {"by", d.by},
          {"seed", d.seed},
          {"after_operations", d.operations},
          {"after_seconds", d.seconds},
          {"outside", d.outside},
          {"violated_without", d.control},
          {"failures", d.failures}};
}

Truth truth_from(const std::string& word) {
  if (word == name_of(Truth::guaranteed)) return Truth::guaranteed;
  return word == name_of(Truth::violable) ? Truth::violable : Truth::cannot_show;
}

CellResult cell_from_json(const Json& j) {
  CellResult cell{j["cell"], j["arguments"], j["runs"], j["operations"], {}, j["failures"]};
  for (const Json& row : j["models"]) {
    cell.models.push_back(
        {row["model"], truth_from(row["truth"]), row["why"], row["violated_in_runs"],
         row["undecided_in_runs"], row.value("first_seed", std::uint64_t{0}),
         row.value("after_operations", std::uint64_t{0}), row.value("after_seconds", 0.0)});
  }
  return cell;
}

DefectResult defect_from_json(const Json& j) {
  return {
      j["defect"],  j["arguments"],        j["runs"],          j["caught"],  j["by"],
      j["seed"],    j["after_operations"], j["after_seconds"], j["outside"], j["violated_without"],
      j["failures"]};
}

Json made_with(const SelftestOptions& options) {
  return {{"seeds", options.seeds},
          {"defect_seeds", options.defect_seeds},
          {"first_seed", options.first_seed},
          {"duration", format_duration(options.duration)}};
}

/// The content of a cell's file if it was made with these options.
std::optional<Json> read(const std::string& place, const SelftestOptions& options) {
  std::ifstream file(place + "/result.json");
  const Json json = Json::parse(file, nullptr, false);
  if (!json.is_object() || json.value("made_with", Json()) != made_with(options))
    return std::nullopt;
  return json.value("result", Json());
}

Status write(const std::string& place, const Json& result, const SelftestOptions& options) {
  const Json json{{"made_with", made_with(options)}, {"result", result}};
  return write_file(place + "/result.json", json.dump(1) + "\n");
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Totals {
  int runs = 0;
  int false_alarms = 0;
  std::size_t guaranteed = 0, violable = 0, found = 0, caught = 0;
  std::vector<double> seconds;  // to a violation
  std::size_t failures = 0;
};

Totals totals_of(const SelftestResult& result) {
  Totals totals;
  for (const CellResult& cell : result.cells) {
    totals.runs += cell.runs;
    totals.false_alarms += cell.false_alarms();
    totals.failures += cell.failures.size();
    for (const ModelTally& tally : cell.models) {
      totals.guaranteed += tally.truth == Truth::guaranteed ? 1 : 0;
      if (tally.truth != Truth::violable) continue;
      ++totals.violable;
      if (tally.violated == 0) continue;
      ++totals.found;
      totals.seconds.push_back(tally.seconds);
    }
  }
  for (const DefectResult& defect : result.defects) {
    totals.runs += 2 * defect.runs;
    totals.caught += defect.caught ? 1 : 0;
    totals.failures += defect.failures.size();
  }
  return totals;
}

std::string mark(const CellResult& cell, const ModelTally& tally) {
  if (tally.truth == Truth::guaranteed) {
    if (tally.violated > 0) return fmt::format("**FALSE ALARM {}**", tally.violated);
    return tally.undecided == 0 ? "holds"
                                : fmt::format("undecided {}/{}", tally.undecided, cell.runs);
  }
  if (tally.truth == Truth::cannot_show)
    return tally.violated == 0 ? "·" : fmt::format("**UNFORESEEN {}**", tally.violated);
  return tally.violated == 0 ? "**missed**" : fmt::format("{}/{}", tally.violated, cell.runs);
}

std::string cells_table(const SelftestResult& result) {
  std::string text = "| configuration, sessions, keys |";
  for (const std::string& model : model_names()) text += " " + model + " |";
  text += " sets |\n|---|";
  for (std::size_t i = 0; i <= model_names().size(); ++i) text += "---|";
  text += "\n";
  for (const CellResult& cell : result.cells) {
    text += "| " + cell.id + " |";
    std::vector<std::string> sets;
    for (const ModelTally& tally : cell.models) {
      if (tally.model.find('+') == std::string::npos) text += " " + mark(cell, tally) + " |";
      else sets.push_back(tally.model + " " + mark(cell, tally));
    }
    text += " " + join(sets, "; ") + " |\n";
  }
  return text;
}

std::string defects_table(const SelftestResult& result) {
  std::string text =
      "| defect | caught by | seed | after | operations | beyond its models | without it |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const DefectResult& d : result.defects) {
    text +=
        fmt::format("| {} | {} | {} | {:.0f} s | {} | {} | {} |\n", d.name,
                    d.caught ? d.by : "**not caught**", d.caught ? std::to_string(d.seed) : "",
                    d.seconds, d.operations, d.outside.empty() ? "nothing" : join(d.outside, ", "),
                    d.control.empty() ? "holds" : join(d.control, ", "));
  }
  return text;
}

}  // namespace

std::optional<CellResult> read_cell(const std::string& place, const CellResult& blank,
                                    const SelftestOptions& options) {
  const std::optional<Json> json = read(place, options);
  if (!json) return std::nullopt;
  CellResult kept = cell_from_json(*json);
  const bool same_theory =
      std::equal(kept.models.begin(), kept.models.end(), blank.models.begin(), blank.models.end(),
                 [](const ModelTally& a, const ModelTally& b) {
                   return a.model == b.model && a.truth == b.truth;
                 });
  if (!same_theory || kept.arguments != blank.arguments) return std::nullopt;
  return kept;
}

Status write_cell(const std::string& place, const CellResult& result,
                  const SelftestOptions& options) {
  return write(place, to_json(result), options);
}

std::optional<DefectResult> read_defect(const std::string& place, const DefectResult& blank,
                                        const SelftestOptions& options) {
  const std::optional<Json> json = read(place, options);
  if (!json) return std::nullopt;
  DefectResult kept = defect_from_json(*json);
  if (kept.arguments != blank.arguments) return std::nullopt;
  return kept;
}

Status write_defect(const std::string& place, const DefectResult& result,
                    const SelftestOptions& options) {
  return write(place, to_json(result), options);
}

std::string selftest_json(const SelftestResult& result) {
  Json cells = Json::array(), defects = Json::array();
  for (const CellResult& cell : result.cells) cells.push_back(to_json(cell));
  for (const DefectResult& defect : result.defects) defects.push_back(to_json(defect));
  const Json all{{"schema", "consistory.selftest/1"}, {"perfect", result.perfect()},
                 {"interrupted", result.interrupted}, {"made_with", made_with(result.options)},
                 {"cells", std::move(cells)},         {"defects", std::move(defects)}};
  return all.dump(1) + "\n";
}

std::string selftest_summary(const SelftestResult& result) {
  const Totals t = totals_of(result);
  std::string text = fmt::format(
      "{} cells, {} runs: {} guarantees with {} false alarms; {} of {} possible violations found, "
      "the median after {:.0f} s of load; {} of {} defects caught\n",
      result.cells.size(), t.runs, t.guaranteed, t.false_alarms, t.found, t.violable,
      median(t.seconds), t.caught, result.defects.size());
  if (t.failures > 0) text += fmt::format("{} runs had no verdict\n", t.failures);
  if (result.interrupted) text += "interrupted: the same command goes on from here\n";
  return text;
}

std::string selftest_markdown(const SelftestResult& result) {
  return fmt::format(
      "{}\n{} seeds from {}, {} of load a run. `holds`: guaranteed, and no run violated it. "
      "`3/20`: "
      "can be violated, and was in 3 of 20 runs. `·`: no history of this cell can show it.\n\n{}\n"
      "## Defects\n\nEach run twice, without and with the bug. After: seconds of load until it was "
      "caught.\n\n{}",
      selftest_summary(result), result.options.seeds, result.options.first_seed,
      format_duration(result.options.duration), cells_table(result), defects_table(result));
}

}  // namespace consistory
