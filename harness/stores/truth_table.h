#pragma once
// The truth table: what theory says of each configuration of the reference store, model by model.
// It is the ground truth that the harness is measured against (`consistory selftest`), and where
// the store's claims come from. A cell is a configuration, whether sessions move, and whether keys
// are registers or lists; reference-store/PROTOCOL.md describes the protocols.

#include <span>
#include <string>
#include <vector>

#include "harness/stores/reference_settings.h"

namespace consistory {

enum class Truth : std::uint8_t {
  guaranteed,
  violable,     ///< some run violates it
  cannot_show,  ///< no history of this cell can violate it, though nothing promises it
};
std::string_view name_of(Truth truth);

/// Models (or sets of session guarantees) and one line of why.
struct TruthReason {
  std::vector<std::string> models;
  std::string why;
};

struct TruthCell {
  std::string name;  ///< of the configuration
  StoreSettings settings;
  bool moving = false;
  bool lists = false;
  std::vector<TruthReason> guaranteed;  ///< with all that they imply
  std::vector<TruthReason> violable;    ///< the weakest, with all that implies them
  std::string source;
  std::vector<std::string> faults;   ///< under which the guarantees hold
  std::vector<std::string> load;     ///< words of `run` under which weaknesses show
  std::vector<std::string> in_turn;  ///< the same, for every second seed; empty: none
  std::string workload;
  bool quick = false;  ///< one of the few of `selftest --quick`

  /// As stated, not what they imply.
  std::vector<std::string> guaranteed_models() const;
  Truth truth_of(std::string_view model) const;
  /// One line: why the model's truth is what it is.
  std::string why(std::string_view model) const;
  /// "eventual, lamport / moving / list"
  std::string id() const;
};

/// Does every history that satisfies `stronger` satisfy `weaker`? By the arrows of MODELS §4, and
/// for sets of session guarantees by what they are made of.
bool implies(std::string_view stronger, std::string_view weaker);

std::span<const TruthCell> truth_table();

/// The cell of these settings; none if the store cannot give that data type.
const TruthCell* find_cell(const ReferenceSettings& settings, bool lists, bool moving);

}  // namespace consistory
