#pragma once
// What a checker says about one model of one history (DESIGN §4.4). There is no default verdict,
// and an exhausted budget, an unmet assumption or missing coverage can never read as `holds`.

#include <cstdint>
#include <string>
#include <string_view>

#include "checkers/order/proof.h"

namespace consistory {

enum class Verdict : std::uint8_t { holds, violated, inconclusive, not_checked };

constexpr std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds:
      return "holds";
    case Verdict::violated:
      return "violated";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::not_checked:
      return "not-checked";
  }
  return {};
}

struct ModelVerdict {
  Verdict verdict;
  std::string why;  ///< one sentence for inconclusive and not-checked
  Proof proof;      ///< of a violation
  std::uint64_t steps = 0;
  /// Of a violation: operations of the history that violate the model by themselves, as an exact
  /// checker confirmed; then `proof` is about them and numbered as they are. Empty: about all.
  std::vector<OperationId> evidence = {};

  static ModelVerdict holds() { return {Verdict::holds, {}, {}}; }
  static ModelVerdict violated(Proof proof) { return {Verdict::violated, {}, std::move(proof)}; }
  static ModelVerdict inconclusive(std::string why) {
    return {Verdict::inconclusive, std::move(why), {}};
  }
  static ModelVerdict not_checked(std::string why) {
    return {Verdict::not_checked, std::move(why), {}};
  }
};

}  // namespace consistory
