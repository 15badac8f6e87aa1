#pragma once
// The one source of randomness: everything drawn in a run comes from its seed through Random.
// SplitMix64 (Steele, Lea, Flood 2014): 64-bit state, passes BigCrush, and streams that are split
// by name do not disturb each other when one of them draws more.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace consistory {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// An independent stream for one purpose, the same for the same seed and name.
  Random fork(std::string_view purpose) const;

  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::size_t below(std::size_t bound);
  /// Uniform in [0, 1).
  double unit();
  bool chance(double probability) { return unit() < probability; }

 private:
  std::uint64_t state_;
};

/// A fresh seed for a run that was given none; the only place that asks the system for entropy.
std::uint64_t draw_seed();

}  // namespace consistory
