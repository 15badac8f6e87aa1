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

  static ModelVerdict holds() { return {Verdict::holds, {}, {}, 0}; }
  static ModelVerdict violated(Proof proof) { return {Verdict::violated, {}, std::move(proof), 0}; }
  static ModelVerdict inconclusive(std::string why) {
    return {Verdict::inconclusive, std::move(why), {}, 0};
  }
  static ModelVerdict not_checked(std::string why) {
    return {Verdict::not_checked, std::move(why), {}, 0};
  }
};

}  // namespace consistory
