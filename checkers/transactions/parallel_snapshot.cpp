#include "checkers/transactions/parallel_snapshot.h"

#include <algorithm>
#include <numeric>

#include "checkers/transactions/chains.h"
#include "checkers/transactions/write_orders.h"

namespace consistory {
namespace {

class ParallelSnapshot {
 public:
  explicit ParallelSnapshot(const Dependencies& dependencies)
      : dependencies_(dependencies), chains_(dependencies), orders_(dependencies, CommitRules{}) {
    for (const Link& link : orders_.known())
      (link.why == Dependency::anti ? anti_ : visible_).push_back(link);
  }

  CommitAnswer run() {
    while (true) {
      const Digraph graph(orders_.size(), visible_);
      if (!graph.is_acyclic()) return {Answer::no, graph.short_cycles(), {}};
      const auto clocks = Clocks::of(dependencies_, chains_,
                                     Digraph(dependencies_.size(), between_nodes(visible_)));
      if (auto cycle = single_anti(*clocks, anti_)) return {Answer::no, {std::move(*cycle)}, {}};
      if (orders_.keys().empty()) return {Answer::yes, {}, {}};
      if (!derive(*clocks)) break;
    }
    if (guess()) return {Answer::yes, {}, {}};
    return {Answer::open,
            {},
            "what follows from the reads refutes nothing, and the order of writes "
            "that was guessed does not fit"};
  }

 private:
  /// Real time and hubs play no part in what is visible.
  std::vector<Link> between_nodes(const std::vector<Link>& links) const {
    std::vector<Link> result;
    for (const Link& link : links) {
      if (link.from < dependencies_.size() && link.to < dependencies_.size())
        result.push_back(link);
    }
    return result;
  }

  bool sees(const Clocks& clocks, TNode node, TNode earlier) const {
    return clocks.seen(node, chains_.chain(earlier)) > chains_.position(earlier);
  }

  /// reader -> writer, and the reader sees the writer (or a hub leads to one that it sees).
  std::optional<std::vector<Link>> single_anti(const Clocks& clocks,
                                               const std::vector<Link>& anti) const {
    std::vector<std::vector<Link>> of_hub(orders_.size() - dependencies_.size());
    for (const Link& link : anti) {
      if (link.from >= dependencies_.size())
        of_hub[link.from - dependencies_.size()].push_back(link);
    }
    for (const Link& link : anti) {
      if (link.from >= dependencies_.size()) continue;
      const auto closes = [&](TNode writer) { return sees(clocks, link.from, writer); };
      if (link.to < dependencies_.size()) {
        if (closes(link.to)) return cycle_through(link.from, link.to, link.key);
        continue;
      }
      for (const Link& out : of_hub[link.to - dependencies_.size()]) {
        if (closes(out.to)) return cycle_through(link.from, out.to, link.key);
      }
    }
    return std::nullopt;
  }

  std::vector<Link> cycle_through(TNode reader, TNode writer, KeyId key) const {
    std::vector<Link> links = between_nodes(visible_);
    links.push_back({reader, writer, Dependency::anti, key});
    std::vector<std::vector<Link>> cycles =
        Digraph(dependencies_.size(), std::move(links)).short_cycles();
    return cycles.empty() ? std::vector<Link>{} : std::move(cycles.front());
  }

  /// Of two writers of a key: one sees the other, or a reader of one sees the other.
  bool derive(const Clocks& clocks) {
    std::vector<Link> fresh;
    for (const OpenKey& key : orders_.keys()) {
      for (std::size_t a = 0; a < key.writers.size(); ++a) {
        for (std::size_t b = 0; b < key.writers.size(); ++b) {
          if (a == b || sees(clocks, key.writers[b], key.writers[a])) continue;
          const bool must =
              std::any_of(key.readers[b].begin(), key.readers[b].end(), [&](TNode reader) {
                return reader != key.writers[a] && sees(clocks, reader, key.writers[a]);
              });
          if (must)
            fresh.push_back({key.writers[a], key.writers[b], Dependency::overwrites, key.key});
        }
      }
    }
    visible_.insert(visible_.end(), fresh.begin(), fresh.end());
    return !fresh.empty();
  }

  bool guess() {
    std::vector<std::int64_t> times(orders_.size(), 0);
    for (TNode node = 1; node < dependencies_.size(); ++node) {
      const Transaction& transaction = dependencies_.at(node);
      times[node] = transaction.complete == kNever ? transaction.invoke : transaction.complete;
    }
    const auto sequence = Digraph(orders_.size(), visible_).order(times);
    std::vector<std::uint32_t> position(orders_.size(), 0);
    for (std::size_t i = 0; i < sequence->size(); ++i)
      position[(*sequence)[i]] = static_cast<std::uint32_t>(i);
    std::vector<Link> links;
    for (const OpenKey& key : orders_.keys()) {
      std::vector<std::size_t> by(key.writers.size());
      std::iota(by.begin(), by.end(), 0U);
      std::sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) {
        return position[key.writers[a]] < position[key.writers[b]];
      });
      orders_.add_order(key, by, links);
    }
    std::vector<Link> visible = visible_;
    std::vector<Link> anti = anti_;
    for (const Link& link : links) (link.why == Dependency::anti ? anti : visible).push_back(link);
    const auto clocks =
        Clocks::of(dependencies_, chains_, Digraph(dependencies_.size(), between_nodes(visible)));
    return clocks && !single_anti(*clocks, anti);
  }

  const Dependencies& dependencies_;
  Chains chains_;
  WriteOrders orders_;
  std::vector<Link> visible_, anti_;
};

}  // namespace

CommitAnswer decide_parallel_snapshot(const Dependencies& dependencies) {
  return ParallelSnapshot(dependencies).run();
}

}  // namespace consistory
