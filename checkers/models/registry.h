#pragma once
// The table of models: the command line, `list`, `explain`, the reports and the tests read it.
// A new model is one file, one row in registry.cpp and one line in CMakeLists.txt.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/models/guarantees.h"
#include "checkers/models/judging.h"

namespace consistory {

struct Model {
  std::string_view name;
  std::string_view oracle;    ///< its column in the litmus suite (MODELS §1.5)
  std::string_view aliases;   ///< space-separated
  std::string_view promise;   ///< one sentence
  std::string_view caveat;    ///< what it does not promise, or how it is judged
  std::string_view smallest;  ///< a smallest history that breaks it, in the language of text.h
  std::string_view source;
  /// The exact checker: any history, in time that grows with its square and worse.
  std::function<ModelVerdict(const History&, Budget&)> judge;
  std::optional<GuaranteeSet> guarantees = std::nullopt;  ///< a set of session guarantees
  bool quiescent = false;  ///< judged on updates and final reads alone
};

std::span<const Model> all_models();

/// A model of the table by name or alias, or a set of session guarantees ("a+b"); unknown names are
/// usage errors with a suggestion. The returned pointer lives as long as the program.
Result<const Model*> find_model(std::string_view name);

/// Models implied by `name` by the arrows of MODELS §4, itself not included. "lin without info"
/// and "plain registers only" arrows are left out: they do not hold for every history.
std::vector<std::string_view> implied_by(std::string_view name);

std::vector<std::string> model_names();

}  // namespace consistory
