// consistory list: the tables of models, faults, workloads and stores.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

#include "base/suggest.h"
#include "checkers/models/registry.h"
#include "harness/cli/command.h"
#include "harness/stores/store.h"
#include "nemesis/fault.h"
#include "workloads/workload.h"

namespace consistory {
namespace {

struct Row {
  std::string name;
  std::string summary;
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
  for (const StoreKind& store : all_stores())
    rows.push_back({std::string(store.name), std::string(store.summary)});
  return rows;
}

struct Section {
  const char* name;
  Rows (*rows)();
};
constexpr std::array<Section, 4> kSections = {
    {{"models", models}, {"faults", faults}, {"workloads", workloads}, {"stores", stores}}};

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
      document[section.name].push_back({{"name", row.name}, {"summary", row.summary}});
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
  app.add_option("what", *what, "models, faults, workloads or stores (default: all)");
  app.add_flag("--json", *json, "Print JSON");
  return [what, json] { return act(*what, *json); };
}

}  // namespace consistory
