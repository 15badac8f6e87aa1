#include <algorithm>
#include <set>

#include "checkers/order/serialisation.h"

namespace consistory {
namespace {

bool is_prefix(const std::vector<Point>& shorter, const std::vector<Point>& longer) {
  return shorter.size() <= longer.size() &&
         std::equal(shorter.begin(), shorter.end(), longer.begin());
}

const std::vector<Point>& longest_list(const Resolved& resolved,
                                       const std::vector<Point>& readers) {
  const auto longest = std::max_element(readers.begin(), readers.end(), [&](Point a, Point b) {
    return resolved[a].sources.size() < resolved[b].sources.size();
  });
  return resolved[*longest].sources;
}

}  // namespace

void ListEdges::add_chains(const std::vector<Point>& readers) {
  std::set<std::pair<Point, Point>> done;
  for (const Point reader : readers) {
    const std::vector<Point>& list = resolved_[reader].sources;
    for (std::size_t i = 1; i < list.size(); ++i) {
      if (!done.insert({list[i - 1], list[i]}).second) continue;
      graph_.add({list[i - 1], list[i], Why::list_order, reader, round_});
    }
  }
}

void ListEdges::add_lacks(const std::vector<Point>& readers, const std::vector<Node>& appends) {
  if (readers.empty()) return;
  const std::vector<Point>& longest = longest_list(resolved_, readers);
  for (const Point reader : readers) {
    const std::vector<Point>& list = resolved_[reader].sources;
    const bool prefix = is_prefix(list, longest);
    if (prefix && list.size() < longest.size()) {
      // What follows the next element lacks too, by the chain and the longest list's own edges.
      graph_.add({reader, longest[list.size()], Why::list_lacks, UINT32_MAX, round_});
      continue;
    }
    const std::set<Point> present(list.begin(), list.end());
    for (const Node append : appends) {
      if (!present.contains(append))
        graph_.add({reader, append, Why::list_lacks, UINT32_MAX, round_});
    }
  }
}

}  // namespace consistory
