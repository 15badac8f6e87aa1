// consistory list: the tables of models, faults, workloads, stores, and of the reference store's
// protocols and planted bugs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

#include "base/suggest.h"
#include "checkers/models/registry.h"
#include "harness/cli/command.h"
#include "harness/stores/defects.h"
#include "harness/stores/truth_table.h"
#include "nemesis/fault.h"
#include "workloads/workload.h"

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

struct Row {
  std::string name;
  std::string summary;
  Json more = Json::object();           // for programs
  std::vector<std::string> lines = {};  // for people
};
using Rows = std::vector<Row>;

Rows models() {
  Rows rows;
  for (const Model& model : all_models())
    rows.push_back({std::string(model.name), std::string(model.promise)});
  return rows;
}
Rows faults() {
  Rows rows;
  for (const FaultKind& kind : all_faults()) {
    rows.push_back(
        {std::string(kind.name), fmt::format("{} (evidence: {})", kind.summary, kind.evidence)});
    for (const FaultVariant& variant : kind.variants) {
      rows.push_back({fmt::format("{}:{}", kind.name, variant.name), std::string(variant.summary)});
    }
  }
  return rows;
}
Rows workloads() {
  Rows rows;
  for (const Workload& workload : all_workloads()) {
    rows.push_back({std::string(workload.name), std::string(workload.summary)});
  }
  return rows;
}
Rows stores() {
  Rows rows;
  for (const StoreKind& store : all_stores()) {
    std::vector<std::string> missing = missing_packages(store.programs);
    if (store.make == nullptr) missing.emplace_back(store.client_package);
    const std::string what =
        missing.empty() ? "ready"
        : store.make == nullptr
            ? fmt::format("apt-get install {}, then build again", join(missing, " "))
            : fmt::format("apt-get install {}", join(missing, " "));
    rows.push_back({std::string(store.name),
                    std::string(store.summary),
                    {{"ready", missing.empty()}, {"missing", missing}},
                    {what}});
  }
  return rows;
}

Json claims_of(const TruthCell& cell) {
  return {{"sessions", cell.moving ? "moving" : "pinned"},
          {"keys", cell.lists ? "lists" : "registers"},
          {"models", cell.guaranteed_models()}};
}

/// Each configuration of the truth table with what it claims; equal claims are told once.
Rows protocols() {
  Rows rows;
  for (const TruthCell& cell : truth_table()) {
    if (rows.empty() || rows.back().name != cell.name) {
      Json more{{"settings", Json::object()}, {"source", cell.source}, {"claims", Json::array()}};
      for (const auto& [name, value] : cell.settings) more["settings"][name] = value;
      rows.push_back({cell.name, "", std::move(more), {join(words_of(cell.settings), " ")}});
    }
    Row& row = rows.back();
    const Json claims = claims_of(cell);
    const bool told = !row.more["claims"].empty() &&
                      row.more["claims"].back()["models"] == claims["models"] &&
                      row.more["claims"].back()["sessions"] == claims["sessions"];
    row.more["claims"].push_back(claims);
    const std::string keys = cell.lists && told ? "" : cell.lists ? ", lists" : "";
    if (!told)
      row.lines.push_back(fmt::format("{}{}: {}", cell.moving ? "moving" : "pinned", keys,
                                      join(cell.guaranteed_models(), ", ")));
  }
  return rows;
}
Rows defects() {
  Rows rows;
  for (const DefectCase& defect : all_defects()) {
    rows.push_back({defect.name,
                    fmt::format("{}: {} ({})", defect.protocol, defect.what, defect.source),
                    {{"protocol", defect.protocol}, {"breaks", defect.weakest}},
                    {}});
  }
  return rows;
}

struct Section {
  const char* name;
  Rows (*rows)();
};
constexpr std::array<Section, 6> kSections = {{{"models", models},
                                               {"faults", faults},
                                               {"workloads", workloads},
                                               {"stores", stores},
                                               {"protocols", protocols},
                                               {"defects", defects}}};

int act(const std::string& what, bool json) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  std::vector<std::string> names;
  bool found = false;
  for (const Section& section : kSections) {
    names.emplace_back(section.name);
    if (!what.empty() && what != section.name) continue;
    found = true;
    if (!json) std::printf("%s\n", section.name);
    for (const Row& row : section.rows()) {
      if (!json) std::printf("  %-26s %s\n", row.name.c_str(), row.summary.c_str());
      for (const std::string& line : row.lines) {
        if (!json) std::printf("    %s\n", line.c_str());
      }
      Json entry{{"name", row.name}, {"summary", row.summary}};
      entry.update(row.more);
      document[section.name].push_back(std::move(entry));
    }
  }
  if (!found) return fail(usage_error(unknown_name("list", what, names)));
  if (json) std::printf("%s\n", document.dump(2).c_str());
  return 0;
}

}  // namespace

std::function<int()> define_list(CLI::App& app) {
  const auto what = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  app.add_option("what", *what,
                 "models, faults, workloads, stores, protocols or defects (default: all)");
  app.add_flag("--json", *json, "Print JSON");
  return [what, json] { return act(*what, *json); };
}

}  // namespace consistory
