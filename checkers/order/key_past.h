#pragma once
// KeyPast: for every node of an acyclic order graph, which updates of a key precede it, as bit
// rows.
//
// Every polynomial checker here asks only that question, key by key. So instead of one n×n closure
// the rows are computed for a block of keys at a time: O(edges · updates / 64) in all, with memory
// for one block. Keys start at word boundaries, so a key's slice of a row is a span of words.

#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "checkers/order/graph.h"

namespace consistory {

using Word = std::uint64_t;
using Bits = std::vector<Word>;

inline bool test(std::span<const Word> bits, std::size_t i) {
  return (bits[i / 64] >> (i % 64) & 1) != 0;
}
inline void set(std::span<Word> bits, std::size_t i) { bits[i / 64] |= Word{1} << (i % 64); }
inline bool any(std::span<const Word> bits) {
  for (const Word word : bits) {
    if (word != 0) return true;
  }
  return false;
}
/// Calls f(i) for each set bit, ascending.
template <class F>
void for_each_bit(std::span<const Word> bits, F&& f) {
  for (std::size_t w = 0; w < bits.size(); ++w) {
    for (Word word = bits[w]; word != 0; word &= word - 1) {
      f(w * 64 + static_cast<std::size_t>(std::countr_zero(word)));
    }
  }
}

/// The updates of one key, in invocation order: column i of the key is updates[i].
struct KeyColumns {
  KeyId key = 0;
  std::vector<Node> updates;
  std::size_t words() const { return (updates.size() + 63) / 64; }
};

/// What precedes each node, for the keys of one block.
class KeyPast {
 public:
  KeyPast(const OrderGraph& graph, std::span<const Node> order, std::span<const KeyColumns> keys);

  std::size_t key_count() const { return keys_.size(); }
  const KeyColumns& columns(std::size_t key) const { return keys_[key]; }
  /// The updates of the key that strictly precede `node`.
  std::span<const Word> before(std::size_t key, Node node) const {
    return std::span(rows_).subspan(node * width_ + first_word_[key], keys_[key].words());
  }

 private:
  std::span<const KeyColumns> keys_;
  std::vector<std::size_t> first_word_;
  std::size_t width_ = 0;
  Bits rows_;
};

/// Computes KeyPast block by block and hands each to `visit` until it returns false.
void for_each_key_block(const OrderGraph& graph, std::span<const Node> order,
                        std::span<const KeyColumns> keys,
                        const std::function<bool(const KeyPast&)>& visit);

/// The columns of every key that has updates, ascending by key; columns are the points themselves.
std::vector<KeyColumns> key_columns(const Resolved& resolved);

}  // namespace consistory
