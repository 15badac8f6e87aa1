#pragma once
// FNV-1a (Fowler, Noll, Vo): which share a key belongs to, and whether two nodes stand alike.

#include <cstdint>
#include <string_view>

namespace refstore {

/// `so_far` chains texts.
inline std::uint64_t hash_of(std::string_view text, std::uint64_t so_far = 0xCBF29CE484222325U) {
  for (const char c : text) so_far = (so_far ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return so_far;
}

}  // namespace refstore
