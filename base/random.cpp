#include "base/random.h"

#include <random>

#include "base/check.h"

namespace consistory {

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

Random Random::fork(std::string_view purpose) const {
  std::uint64_t hash = 0xCBF29CE484222325U ^ state_;
  for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return Random(Random(hash).next());
}

std::size_t Random::below(std::size_t bound) {
  CONSISTORY_CHECK(bound > 0, "a draw from nothing");
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;  // rejection: no modulo bias
  std::uint64_t drawn = next();
  while (drawn >= limit) drawn = next();
  return static_cast<std::size_t>(drawn % bound);
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t draw_seed() {
  std::random_device entropy;
  return (static_cast<std::uint64_t>(entropy()) << 32 | entropy()) % 1'000'000'000;
}

}  // namespace consistory
