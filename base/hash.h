#pragma once
// MixHash: for tables keyed by numbers that others chose. The standard library hashes a number to
// itself, and a table with a power of two of places then puts all numbers that agree in their low
// bits (ids like session << 32) into one, where it grinds to a halt or outgrows memory. The seed,
// another in each process, keeps numbers made for the purpose from doing the same; so the order of
// such a table means nothing and must reach no output.

#include <cstddef>
#include <cstdint>

namespace consistory {

/// The same for the whole process, and unpredictable.
std::uint64_t hash_seed();

/// Every bit of the number changes every bit of the hash (finalizer of SplitMix64; Steele, Lea and
/// Flood 2014).
struct MixHash {
  std::size_t operator()(std::uint64_t code) const {
    code ^= seed_;
    code = (code ^ code >> 30) * 0xBF58476D1CE4E5B9U;
    code = (code ^ code >> 27) * 0x94D049BB133111EBU;
    return code ^ code >> 31;
  }

 private:
  std::uint64_t seed_ = hash_seed();
};

/// The same, but sixteen consecutive numbers stay side by side, for the sake of the cache.
struct NearbyHash {
  std::size_t operator()(std::int64_t number) const {
    const auto bits = static_cast<std::uint64_t>(number);
    return mix_(bits / 16) + bits % 16;
  }

 private:
  MixHash mix_;
};

}  // namespace consistory
