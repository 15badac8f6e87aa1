#include "harness/stores/truth_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "base/suggest.h"
#include "checkers/models/registry.h"
#include "harness/stores/truth_rows.h"

namespace consistory {
namespace {

/// The set that a model is, if it is nothing but a set of session guarantees.
std::optional<GuaranteeSet> set_of(std::string_view model) {
  const Result<const Model*> found = find_model(model);
  return found ? (*found)->guarantees : std::nullopt;
}

/// The session guarantees that a model gives jointly.
GuaranteeSet guarantees_in(std::string_view model) {
  const bool gives_all =
      model == "linearizable" || model == "sequential" || model == "causal-convergence";
  return gives_all ? kAllGuarantees : set_of(model).value_or(0);
}

const TruthReason* reason_in(const std::vector<TruthReason>& reasons, std::string_view model,
                             bool downward) {
  for (const TruthReason& reason : reasons) {
    for (const std::string& named : reason.models) {
      if (downward ? implies(named, model) : implies(model, named)) return &reason;
    }
  }
  return nullptr;
}

bool is_quick(std::string_view name) {
  constexpr std::array<std::string_view, 11> kQuick = {"primary, sync, local reads",
                                                       "primary per key, async, local reads",
                                                       "local writes, async",
                                                       "quorum, read write-back",
                                                       "quorum, unsafe (R=1, W=1)",
                                                       "causal, last writer wins, tokens",
                                                       "causal, order of arrival, tokens",
                                                       "eventual",
                                                       "eventual, session ryw",
                                                       "raft, reads by index",
                                                       "raft, local reads"};
  return std::find(kQuick.begin(), kQuick.end(), name) != kQuick.end();
}

std::vector<TruthCell> build() {
  std::vector<TruthCell> cells;
  for (const TruthRow& row : truth_rows()) {
    for (const TruthClass& part : row.classes) {
      for (const bool moving : {false, true}) {
        for (const bool lists : {false, true}) {
          const unsigned session = moving ? kMoving : kPinned, keys = lists ? kLists : kRegisters;
          if ((part.where & session) == 0 || (part.where & keys) == 0) continue;
          cells.push_back({row.name, row.settings, moving, lists, part.guaranteed, part.violable,
                           row.source, row.faults, row.load, row.in_turn,
                           lists ? "append" : row.on_registers,
                           is_quick(row.name) && moving != lists});
        }
      }
    }
  }
  return cells;
}

}  // namespace

bool implies(std::string_view stronger, std::string_view weaker) {
  if (stronger == weaker) return true;
  const auto implied = implied_by(stronger);
  if (std::find(implied.begin(), implied.end(), weaker) != implied.end()) return true;
  const std::optional<GuaranteeSet> wanted = set_of(weaker);
  return wanted && *wanted != 0 && (*wanted & ~guarantees_in(stronger)) == 0;
}

std::string_view name_of(Truth truth) {
  switch (truth) {
    case Truth::guaranteed:
      return "guaranteed";
    case Truth::violable:
      return "can be violated";
    case Truth::cannot_show:
      return "cannot show";
  }
  CONSISTORY_CHECK(false, "every truth has a name");
}

std::vector<std::string> TruthCell::guaranteed_models() const {
  std::vector<std::string> models;
  for (const TruthReason& reason : guaranteed)
    models.insert(models.end(), reason.models.begin(), reason.models.end());
  return models;
}

Truth TruthCell::truth_of(std::string_view model) const {
  if (reason_in(guaranteed, model, true) != nullptr) return Truth::guaranteed;
  return reason_in(violable, model, false) != nullptr ? Truth::violable : Truth::cannot_show;
}

std::string TruthCell::why(std::string_view model) const {
  if (const TruthReason* reason = reason_in(guaranteed, model, true)) return reason->why;
  if (const TruthReason* reason = reason_in(violable, model, false)) return reason->why;
  return "nothing promises it, but a read alone never contradicts the order in which updates were "
         "made";
}

std::string TruthCell::id() const {
  return fmt::format("{}; {}; {}", name, moving ? "moving" : "pinned",
                     lists ? "lists" : "registers");
}

std::span<const TruthCell> truth_table() {
  static const std::vector<TruthCell> cells = build();
  return cells;
}

const TruthCell* find_cell(const ReferenceSettings& given, bool lists, bool moving) {
  ReferenceSettings settings = given;
  if (settings.at("token") == "off") settings["session"].clear();  // the layer is told of nothing
  for (const TruthCell& cell : truth_table()) {
    const bool same = std::all_of(cell.settings.begin(), cell.settings.end(), [&](const auto& s) {
      const std::string& value = settings.at(s.first);
      return value == s.second || (s.first == "R" || s.first == "W");
    });
    const bool layered = settings.at("session").empty() ||
                         std::any_of(cell.settings.begin(), cell.settings.end(),
                                     [](const auto& s) { return s.first == "session"; });
    if (same && layered && cell.lists == lists && cell.moving == moving) return &cell;
  }
  return nullptr;
}

}  // namespace consistory
