// consistory explain MODEL: what it promises, what it does not, a smallest history that it forbids,
// and what tells it from its neighbours, all found on the spot by the checkers themselves.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/suggest.h"
#include "checkers/history/text.h"
#include "checkers/judge.h"
#include "checkers/transactions/levels.h"
#include "checkers/witness/separation.h"
#include "harness/cli/command.h"
#include "harness/stores/truth_table.h"

namespace consistory {
namespace {

/// One operation a line, indented.
std::string history_text(const History& history) {
  std::string text;
  for (const Operation& operation : history.operations)
    text += fmt::format("    {}\n", operation_text(history, operation));
  return text;
}

/// Every model forbids to read what nobody wrote: that tells nothing about it.
std::vector<const Model*> legal_values(const Model& model) {
  if (model.name == "read-values") return {};
  return {*find_model("read-values")};
}

/// A smallest history that the model forbids, found and judged on the spot.
std::string smallest_forbidden(const Model& model) {
  std::optional<History> found = separating_history(legal_values(model), model);
  if (!found && !model.smallest.empty()) {
    Result<History> known = parse_history_text(model.smallest);
    CONSISTORY_CHECK(known, "the example of a model is malformed");
    found = std::move(*known);
  }
  if (!found) return {};
  JudgeOptions options;
  options.models = {&model};
  const Judgement judgement = judge(*found, options);
  const JudgedModel& judged = judgement.models.front();
  if (!judged.witness) return {};
  std::string text =
      "\nA smallest history that it forbids:\n" + history_text(*found) + "  because\n";
  for (OperationId id = 0; id < judged.witness->history.size(); ++id) {
    text += fmt::format("    {}  {}\n", letter(id),
                        describe(judged.witness->history, judged.witness->history.operations[id]));
  }
  for (const std::string& reason : reasons(*judged.witness))
    text += fmt::format("    - {}\n", reason);
  return text;
}

std::string separation_text(const Model& holding, const Model& violated) {
  std::vector<const Model*> allowing = legal_values(violated);
  allowing.push_back(&holding);
  const std::optional<History> history = separating_history(allowing, violated);
  if (!history) return "    (no small history of this kind tells them apart)\n";
  return history_text(*history);
}

std::string neighbours(const Model& model) {
  std::string text;
  for (const Model* stronger : nearest_stronger(model)) {
    text += fmt::format("\n  {} is stronger: it forbids this, which {} allows\n", stronger->name,
                        model.name) +
            separation_text(model, *stronger);
  }
  for (const Model* weaker : nearest_weaker(model)) {
    text += fmt::format("\n  {} is weaker: it allows this, which {} forbids\n", weaker->name,
                        model.name) +
            separation_text(*weaker, model);
  }
  return text.empty() ? text : "\nNext to it:\n" + text;
}

/// Which configurations of the reference store guarantee it to whom, by the truth table.
std::string where_guaranteed(const Model& model) {
  std::vector<std::string> names;
  for (const TruthCell& cell : truth_table()) {
    if (cell.truth_of(model.name) != Truth::guaranteed) continue;
    const std::string who = cell.moving ? " (moving too)" : "";
    if (!names.empty() && names.back().starts_with(cell.name + "\n")) names.pop_back();
    names.push_back(cell.name + "\n" + who);
  }
  std::string text;
  for (std::string& name : names) {
    name.erase(name.find('\n'), 1);
    text += fmt::format("  {}\n", name);
  }
  return text.empty() ? "\nNo configuration of the reference store guarantees it.\n"
                      : "\nConfigurations of the reference store that guarantee it, to pinned "
                        "sessions at least:\n" +
                            text;
}

std::string model_text(const Model& model) {
  std::string text = fmt::format("{}\n  {}\n", model.name, model.promise);
  if (!model.caveat.empty()) text += fmt::format("  {}\n", model.caveat);
  text += smallest_forbidden(model) + neighbours(model) + where_guaranteed(model) + "\n";
  if (!model.aliases.empty()) text += fmt::format("also called: {}\n", model.aliases);
  return text + fmt::format("source:      {}\n", model.source);
}

std::string level_text(const LevelInfo& level) {
  std::string text = fmt::format("{}\n  {}\n", level.name, level.promise);
  text += "  An isolation level: it is judged on histories of transactions.\n\n";
  std::vector<std::string> weaker, stronger;
  for (const Level implied : level.implies) weaker.emplace_back(info_of(implied).name);
  for (const LevelInfo& other : all_levels()) {
    if (std::find(other.implies.begin(), other.implies.end(), level.level) != other.implies.end())
      stronger.emplace_back(other.name);
  }
  if (!stronger.empty()) text += fmt::format("implied by:  {}\n", join(stronger, ", "));
  if (!weaker.empty()) text += fmt::format("implies:     {}\n", join(weaker, ", "));
  if (!level.aliases.empty()) text += fmt::format("also called: {}\n", level.aliases);
  return text + fmt::format("source:      {}\n", level.source);
}

void print_all() {
  for (const Model& model : all_models())
    std::fputs(fmt::format("{:<28} {}\n", model.name, model.promise).c_str(), stdout);
  std::fputs("\nIsolation levels, of transactions:\n", stdout);
  for (const LevelInfo& level : all_levels())
    std::fputs(fmt::format("{:<28} {}\n", level.name, level.promise).c_str(), stdout);
}

int act(const std::string& name) {
  if (name.empty()) {
    print_all();
    return 0;
  }
  const Result<const Model*> model = find_model(name);
  if (model) {
    std::fputs(model_text(**model).c_str(), stdout);
    return 0;
  }
  const Result<const LevelInfo*> level = find_level(name);
  if (!level) return fail(model.error());
  std::fputs(level_text(**level).c_str(), stdout);
  return 0;
}

}  // namespace

std::function<int()> define_explain(CLI::App& app) {
  const auto name = std::make_shared<std::string>();
  app.add_option("model", *name, "A model, an isolation level, or a set of session guarantees a+b");
  return [name] { return act(*name); };
}

}  // namespace consistory
