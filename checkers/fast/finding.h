#pragma once
// What a near-linear checker says: that a model holds, that it is violated and which operations
// show it, or that the question is not for it. It never says more than it knows: a violation counts
// only once an exact checker has found it among those operations alone (judge.cpp).

#include <optional>
#include <vector>

#include "checkers/fast/trace.h"

namespace consistory {

struct Finding {
  enum class Answer : std::uint8_t { holds, violated, declined };

  Answer answer = Answer::declined;
  /// Points that, with what they read, violate the model by themselves.
  std::vector<Point> seed;

  static Finding holds() { return {Answer::holds, {}}; }
  static Finding violated(std::vector<Point> seed) { return {Answer::violated, std::move(seed)}; }
  static Finding declined() { return {}; }
};

}  // namespace consistory
