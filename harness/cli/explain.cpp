// consistory explain MODEL: what it promises, what it does not, and a smallest history that breaks
// it, judged on the spot by the checker itself.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "base/suggest.h"
#include "checkers/history/text.h"
#include "checkers/judge.h"
#include "harness/cli/command.h"

namespace consistory {
namespace {

std::string example(const Model& model) {
  if (model.smallest.empty()) return {};
  const Result<History> history = parse_history_text(model.smallest);
  CONSISTORY_CHECK(static_cast<bool>(history), "the example of a model is malformed");
  JudgeOptions options;
  options.models = {&model};
  const Judgement judgement = judge(*history, options);
  const JudgedModel& judged = judgement.models.front();
  CONSISTORY_CHECK(judged.witness.has_value(), "the example of a model does not break it");
  std::string text = "\nA smallest history that breaks it:\n";
  for (OperationId id = 0; id < history->size(); ++id) {
    text += fmt::format("  {}\n", operation_text(*history, history->operations[id]));
  }
  text += "because\n";
  for (OperationId id = 0; id < judged.witness->history.size(); ++id) {
    text += fmt::format("  {}  {}\n", letter(id),
                        describe(judged.witness->history, judged.witness->history.operations[id]));
  }
  for (const std::string& reason : reasons(*judged.witness))
    text += fmt::format("  - {}\n", reason);
  return text;
}

std::vector<std::string> stronger_than(std::string_view name) {
  std::vector<std::string> stronger;
  for (const Model& model : all_models()) {
    const auto weaker = implied_by(model.name);
    if (std::find(weaker.begin(), weaker.end(), name) != weaker.end())
      stronger.emplace_back(model.name);
  }
  return stronger;
}

std::string explanation(const Model& model) {
  std::string text = fmt::format("{}\n  {}\n", model.name, model.promise);
  if (!model.caveat.empty()) text += fmt::format("  {}\n", model.caveat);
  text += example(model) + "\n";
  const auto stronger = stronger_than(model.name);
  if (!stronger.empty()) text += fmt::format("implied by:  {}\n", join(stronger, ", "));
  std::vector<std::string> weaker;
  for (const std::string_view name : implied_by(model.name)) weaker.emplace_back(name);
  if (!weaker.empty()) text += fmt::format("implies:     {}\n", join(weaker, ", "));
  if (!model.aliases.empty()) text += fmt::format("also called: {}\n", model.aliases);
  return text + fmt::format("source:      {}\n", model.source);
}

int act(const std::string& name) {
  if (name.empty()) {
    for (const Model& model : all_models()) {
      std::printf("%-26s %s\n", std::string(model.name).c_str(),
                  std::string(model.promise).c_str());
    }
    return 0;
  }
  const Result<const Model*> model = find_model(name);
  if (!model) return fail(model.error());
  std::fputs(explanation(**model).c_str(), stdout);
  return 0;
}

}  // namespace

std::function<int()> define_explain(CLI::App& app) {
  const auto name = std::make_shared<std::string>();
  app.add_option("model", *name, "A model, or a set of session guarantees a+b");
  return [name] { return act(*name); };
}

}  // namespace consistory
