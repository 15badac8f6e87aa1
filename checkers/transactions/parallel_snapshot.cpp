#include "checkers/transactions/parallel_snapshot.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/limits.h"
#include "checkers/order/budget.h"
#include "checkers/transactions/chains.h"
#include "checkers/transactions/write_orders.h"

namespace consistory {
namespace {

/// Links between transactions alone; of the nodes that only carry order along none matters here but
/// the hubs of anti-dependencies, which are unfolded.
std::vector<Link> unfolded(const std::vector<Link>& links, TNode transactions) {
  std::map<std::uint32_t, std::vector<Link>> of_hub;
  for (const Link& link : links) {
    if (link.from >= transactions) of_hub[link.from].push_back(link);
  }
  std::vector<Link> result;
  for (const Link& link : links) {
    if (link.from >= transactions) continue;
    if (link.to < transactions) result.push_back(link);
    else
      for (const Link& out : of_hub[link.to])
        result.push_back({link.from, out.to, link.why, link.key});
  }
  return result;
}

/// How many links unfolded() makes.
std::size_t unfolded_count(const std::vector<Link>& links, TNode transactions) {
  std::map<std::uint32_t, std::size_t> of_hub;
  for (const Link& link : links) {
    if (link.from >= transactions) ++of_hub[link.from];
  }
  std::size_t count = 0;
  for (const Link& link : links) {
    if (link.from < transactions) count += link.to < transactions ? 1 : of_hub[link.to];
  }
  return count;
}

constexpr std::size_t kLinksMax = 4'000'000;

class ParallelSnapshot {
 public:
  ParallelSnapshot(const Dependencies& dependencies, std::uint64_t steps)
      : dependencies_(dependencies),
        chains_(dependencies),
        // With conflicts, so that appends that no read shows are open as well.
        orders_(dependencies, CommitRules{.conflicts = true}),
        budget_(steps) {
    too_many_ = unfolded_count(orders_.known(), dependencies.size()) > kLinksMax;
    if (too_many_) return;
    for (const Link& link : unfolded(orders_.known(), dependencies.size()))
      (link.why == Dependency::anti ? anti_ : visible_).push_back(link);
  }

  CommitAnswer run() {
    if (too_many_) {
      return {Answer::open,
              {},
              "too many reads of initial values against too many writes of the same "
              "keys"};
    }
    const Answer answer = search(visible_);
    if (answer == Answer::open)
      return {Answer::open,
              {},
              "the search for an order of the writes used up its budget of steps "
              "(--check-steps raises it)"};
    if (answer == Answer::yes || cycle_.empty() || branched_) return {answer, {}, {}};
    return {Answer::no, {cycle_}, {}};
  }

 private:
  struct Pair {
    TNode first, second;
    KeyId key;
  };

  Digraph graph(const std::vector<Link>& links) const { return {dependencies_.size(), links}; }

  /// What one round of deriving costs; nothing where the order of all writes is known.
  std::uint64_t steps_of_a_round(const std::vector<Link>& visible) const {
    std::uint64_t pairs = 0;
    for (const OpenKey& key : orders_.keys()) pairs += key.writers.size() * key.writers.size();
    return visible.size() + pairs * (anti_.size() + visible.size()) / 16 + 1;
  }

  Answer search(std::vector<Link> visible) {
    std::optional<Clocks> clocks;
    do {
      if (!budget_.spend(steps_of_a_round(visible)))
        return guess(visible) ? Answer::yes : Answer::open;
      check_time();
      clocks = Clocks::of(dependencies_, chains_, graph(visible));
      if (!clocks) return refuted(graph(visible).short_cycles());
      if (const auto anti = contradiction(*clocks)) return refuted(cycles_with(visible, *anti));
    } while (derive(*clocks, visible));
    if (guess(visible)) return Answer::yes;
    const std::optional<Pair> pair = open_pair(*clocks);
    if (!pair) return Answer::yes;
    branched_ = true;
    Answer answer = Answer::no;
    for (const auto& [from, to] :
         {std::pair(pair->first, pair->second), {pair->second, pair->first}}) {
      std::vector<Link> chosen = visible;
      chosen.push_back({from, to, Dependency::overwrites, pair->key});
      const Answer found = search(std::move(chosen));
      if (found == Answer::yes) return found;
      if (found == Answer::open) answer = found;
    }
    return answer;
  }

  Answer refuted(const std::vector<std::vector<Link>>& cycles) {
    if (!cycles.empty()) cycle_ = cycles.front();
    return Answer::no;
  }

  bool sees(const Clocks& clocks, TNode node, TNode earlier) const {
    return clocks.seen(node, chains_.chain(earlier)) > chains_.position(earlier);
  }
  bool sees_or_is(const Clocks& clocks, TNode node, TNode earlier) const {
    return node == earlier || sees(clocks, node, earlier);
  }

  /// Known anti-dependencies, and those of writers whose order is visible.
  std::vector<Link> anti_dependencies(const Clocks& clocks) const {
    std::vector<Link> anti = anti_;
    for_each_pair([&](const OpenKey& key, std::size_t a, std::size_t b) {
      if (!sees(clocks, key.writers[b], key.writers[a])) return;
      for (const TNode reader : key.readers[a]) {
        if (reader != key.writers[b])
          anti.push_back({reader, key.writers[b], Dependency::anti, key.key});
      }
    });
    return anti;
  }

  template <class Visit>
  void for_each_pair(const Visit& visit) const {
    for (const OpenKey& key : orders_.keys()) {
      for (std::size_t a = 0; a < key.writers.size(); ++a) {
        for (std::size_t b = 0; b < key.writers.size(); ++b) {
          if (a != b) visit(key, a, b);
        }
      }
    }
  }

  /// A reader that sees who overwrote what it read.
  std::optional<Link> contradiction(const Clocks& clocks) const {
    for (const Link& link : anti_dependencies(clocks)) {
      if (sees(clocks, link.from, link.to)) return link;
    }
    return std::nullopt;
  }

  std::vector<std::vector<Link>> cycles_with(const std::vector<Link>& visible,
                                             const Link& anti) const {
    std::vector<Link> links = visible;
    links.push_back(anti);
    return graph(links).short_cycles();
  }

  /// Of two writers of a key, a comes first where b before a would let a reader see who overwrote
  /// what it read.
  bool derive(const Clocks& clocks, std::vector<Link>& visible) const {
    const std::vector<Link> anti = anti_dependencies(clocks);
    std::vector<Link> fresh;
    for_each_pair([&](const OpenKey& key, std::size_t a, std::size_t b) {
      const TNode first = key.writers[a];
      const TNode second = key.writers[b];
      if (sees(clocks, second, first)) return;
      const bool by_reader =
          std::any_of(key.readers[b].begin(), key.readers[b].end(),
                      [&](TNode reader) { return reader != first && sees(clocks, reader, first); });
      const bool by_anti = std::any_of(anti.begin(), anti.end(), [&](const Link& link) {
        return sees_or_is(clocks, second, link.to) && sees_or_is(clocks, link.from, first);
      });
      if (by_reader || by_anti) fresh.push_back({first, second, Dependency::overwrites, key.key});
    });
    visible.insert(visible.end(), fresh.begin(), fresh.end());
    return !fresh.empty();
  }

  std::optional<Pair> open_pair(const Clocks& clocks) const {
    std::optional<Pair> found;
    for_each_pair([&](const OpenKey& key, std::size_t a, std::size_t b) {
      const TNode first = key.writers[a];
      const TNode second = key.writers[b];
      if (!found && !sees(clocks, first, second) && !sees(clocks, second, first))
        found = Pair{first, second, key.key};
    });
    return found;
  }

  /// Writers in the order of their commits, as far as what is visible allows it.
  bool guess(const std::vector<Link>& visible) const {
    std::vector<std::int64_t> times(dependencies_.size(), 0);
    for (TNode node = 1; node < dependencies_.size(); ++node) {
      const Transaction& transaction = dependencies_.at(node);
      times[node] = transaction.complete == kNever ? transaction.invoke : transaction.complete;
    }
    const auto sequence = graph(visible).order(times);
    if (!sequence) return false;
    std::vector<std::uint32_t> position(dependencies_.size(), 0);
    for (std::size_t i = 0; i < sequence->size(); ++i)
      position[(*sequence)[i]] = static_cast<std::uint32_t>(i);
    std::vector<Link> guessed = visible;
    std::vector<Link> anti = anti_;
    for (const OpenKey& key : orders_.keys()) {
      std::vector<std::size_t> by(key.writers.size());
      std::iota(by.begin(), by.end(), 0U);
      std::sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) {
        return position[key.writers[a]] < position[key.writers[b]];
      });
      for (std::size_t i = 1; i < by.size(); ++i) {
        const TNode next = key.writers[by[i]];
        guessed.push_back({key.writers[by[i - 1]], next, Dependency::overwrites, key.key});
        for (const TNode reader : key.readers[by[i - 1]]) {
          if (reader != next) anti.push_back({reader, next, Dependency::anti, key.key});
        }
      }
    }
    const auto clocks = Clocks::of(dependencies_, chains_, graph(guessed));
    if (!clocks) return false;
    // Whoever sees a later writer sees the next one.
    for (const Link& link : anti) {
      if (sees(*clocks, link.from, link.to)) return false;
    }
    return true;
  }

  const Dependencies& dependencies_;
  Chains chains_;
  WriteOrders orders_;
  Budget budget_;
  std::vector<Link> visible_, anti_;
  std::vector<Link> cycle_;
  bool branched_ = false;
  bool too_many_ = false;
};

}  // namespace

CommitAnswer decide_parallel_snapshot(const Dependencies& dependencies, std::uint64_t steps) {
  return ParallelSnapshot(dependencies, steps).run();
}

}  // namespace consistory
