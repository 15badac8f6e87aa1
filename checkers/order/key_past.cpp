#include "checkers/order/key_past.h"

#include <map>

namespace consistory {
namespace {
constexpr std::size_t kBlockWords = 16;
}

KeyPast::KeyPast(const OrderGraph& graph, std::span<const Node> order,
                 std::span<const KeyColumns> keys)
    : keys_(keys) {
  std::vector<std::size_t> column(graph.size(), SIZE_MAX);
  for (const KeyColumns& key : keys) {
    first_word_.push_back(width_);
    for (std::size_t i = 0; i < key.updates.size(); ++i) column[key.updates[i]] = width_ * 64 + i;
    width_ += key.words();
  }
  rows_.assign(graph.size() * width_, 0);
  for (const Node node : order) {
    const std::span<Word> row = std::span(rows_).subspan(node * width_, width_);
    for (const EdgeId id : graph.in(node)) {
      const Node from = graph.edges()[id].from;
      const std::span<const Word> other = std::span(rows_).subspan(from * width_, width_);
      for (std::size_t w = 0; w < width_; ++w) row[w] |= other[w];
      if (column[from] != SIZE_MAX) set(row, column[from]);
    }
  }
}

void for_each_key_block(const OrderGraph& graph, std::span<const Node> order,
                        std::span<const KeyColumns> keys,
                        const std::function<bool(const KeyPast&)>& visit) {
  for (std::size_t first = 0; first < keys.size();) {
    std::size_t count = 0;
    for (std::size_t words = 0; first + count < keys.size(); ++count) {
      words += keys[first + count].words();
      if (count > 0 && words > kBlockWords) break;
    }
    check_time();
    if (!visit(KeyPast(graph, order, keys.subspan(first, count)))) return;
    first += count;
  }
}

std::vector<KeyColumns> key_columns(const Resolved& resolved) {
  std::map<KeyId, KeyColumns> columns;
  for (Point point = 0; point < resolved.size(); ++point) {
    if (!resolved[point].updates) continue;
    KeyColumns& key = columns[resolved[point].key];
    key.key = resolved[point].key;
    key.updates.push_back(point);
  }
  std::vector<KeyColumns> keys;
  for (auto& [key, updates] : columns) keys.push_back(std::move(updates));
  return keys;
}

}  // namespace consistory
