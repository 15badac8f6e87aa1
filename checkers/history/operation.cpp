#include "checkers/history/operation.h"

#include <array>

namespace consistory {
namespace {
constexpr std::array<std::string_view, 7> kFunctions = {"read",   "write", "cas",      "delete",
                                                        "append", "add",   "increment"};
constexpr std::array<std::string_view, 3> kOutcomes = {"ok", "fail", "info"};
}  // namespace

std::string_view name_of(Function function) {
  return kFunctions[static_cast<std::size_t>(function)];
}
std::string_view name_of(Outcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

std::optional<Function> function_named(std::string_view name) {
  for (std::size_t i = 0; i < kFunctions.size(); ++i) {
    if (kFunctions[i] == name) return static_cast<Function>(i);
  }
  return std::nullopt;
}

std::optional<Outcome> outcome_named(std::string_view name) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    if (kOutcomes[i] == name) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

}  // namespace consistory
