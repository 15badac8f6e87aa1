#pragma once
// "Comes before" between transactions, or between their beginnings and ends, each edge with its
// reason. Built once, then asked for an order or for a short cycle.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkers/transactions/dependencies.h"

namespace consistory {

/// Why one transaction comes before another.
enum class Dependency : std::uint8_t {
  session,       ///< the same session, earlier
  real_time,     ///< completed before the other was invoked
  reads_from,    ///< wr: the other read its value
  overwrites,    ///< ww: the other's value of the key came later
  anti,          ///< rw: it read what the other overwrote
  must_precede,  ///< `because` saw both, and read the other's value of the key
  implied,       ///< ww that no read shows, but every order of the writes must have
  own,           ///< its reads before its commit
};

struct Link {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  Dependency why = Dependency::session;
  KeyId key = 0;
  TNode because = kInitialNode;  ///< of must_precede
};

class Digraph {
 public:
  /// O(nodes + links).
  Digraph(std::uint32_t nodes, std::vector<Link> links);

  std::uint32_t size() const { return nodes_; }
  std::span<const Link> out(std::uint32_t node) const {
    return std::span(links_).subspan(first_[node], first_[node + 1] - first_[node]);
  }

  /// Of the nodes that can come next, the smallest `priority`; none if there is a cycle.
  std::optional<std::vector<std::uint32_t>> order(std::span<const std::int64_t> priority) const;
  bool is_acyclic() const;

  /// Cycles of few links, at most one through each strongly connected component's first few nodes;
  /// empty if there is none.
  std::vector<std::vector<Link>> short_cycles(std::size_t per_component = 1) const;

  /// Strongly connected components, numbered; a node alone has one too. O(nodes + links).
  std::vector<std::uint32_t> components(std::uint32_t& count) const;

 private:
  std::vector<Link> shortest_cycle(std::uint32_t start, std::span<const std::uint32_t> component,
                                   std::vector<std::uint32_t>& seen) const;

  std::uint32_t nodes_;
  std::vector<Link> links_;  // by `from`
  std::vector<std::uint32_t> first_;
};

}  // namespace consistory
