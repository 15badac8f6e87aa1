#include "checkers/transactions/weak_levels.h"

#include <algorithm>
#include <tuple>

#include "base/parallel.h"
#include "checkers/transactions/chains.h"

namespace consistory {
namespace {

void add_list_orders(const Dependencies& dependencies, std::vector<Link>& links) {
  for (const auto& [key, order] : dependencies.lists()) {
    // Those that no read shows come after the last that one does, in any order.
    for (std::size_t i = 1; i < order.nodes.size() && order.unseen > 0; ++i) {
      const TNode before = order.nodes[std::min(i, order.unseen) - 1];
      links.push_back({before, order.nodes[i], Dependency::overwrites, key});
    }
  }
}

bool updates_key(const Dependencies& dependencies, TNode node, KeyId key) {
  const std::span<const KeyId> updates = dependencies.updates(node);
  return std::binary_search(updates.begin(), updates.end(), key);
}

/// Collects "visible must commit before source", with what makes it a contradiction where the
/// source is the initial value.
class Demands {
 public:
  explicit Demands(std::vector<Link>& links) : links_(links) {}

  void add(TNode visible, TNode source, TNode reader, KeyId key) {
    if (visible == source || visible == reader) return;
    links_.push_back({visible, source, Dependency::must_precede, key, reader});
    if (source == kInitialNode)
      links_.push_back({kInitialNode, visible, Dependency::overwrites, key});
  }

 private:
  std::vector<Link>& links_;
};

void demand_read_committed(const Dependencies& dependencies, TNode node, Demands& demands) {
  std::vector<TNode> seen;
  for (const ExternalRead& read : dependencies.reads(node)) {
    for (const TNode visible : seen) {
      if (visible != read.source && updates_key(dependencies, visible, read.key))
        demands.add(visible, read.source, node, read.key);
    }
    const bool known = std::find(seen.begin(), seen.end(), read.source) != seen.end();
    if (!known && read.source != kInitialNode) seen.push_back(read.source);
  }
}

void demand_read_atomic(const Dependencies& dependencies, TNode node, Demands& demands) {
  std::vector<TNode> sources;
  for (const ExternalRead& read : dependencies.reads(node)) {
    if (read.source != kInitialNode) sources.push_back(read.source);
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  for (const ExternalRead& read : dependencies.reads(node)) {
    for (const TNode visible : sources) {
      if (visible != read.source && updates_key(dependencies, visible, read.key))
        demands.add(visible, read.source, node, read.key);
    }
  }
}

/// What a level asks for that looks at more than one transaction: of each chain the last writer of
/// the key that the reader must see.
class VisibleWriters {
 public:
  VisibleWriters(const Dependencies& dependencies, const Chains& chains, const Clocks* clocks)
      : dependencies_(dependencies), chains_(chains), clocks_(clocks) {
    const std::size_t keys = dependencies.history().keys.size();
    writers_.resize(keys);
    readers_.resize(keys);
    for (TNode node = 1; node < dependencies.size(); ++node) {
      for (const KeyId key : dependencies.updates(node)) writers_[key].push_back(node);
      for (const ExternalRead& read : dependencies.reads(node))
        readers_[read.key].push_back({node, read.source});
    }
  }

  void demand(std::vector<Link>& links) {
    // Kept by key: which worker found a link first must not show.
    std::vector<std::vector<Link>> found(writers_.size());
    in_parallel(writers_.size(), [&](std::size_t key, std::size_t) {
      Demands demands(found[key]);
      demand_for_key(static_cast<KeyId>(key), demands);
    });
    for (const std::vector<Link>& part : found) links.insert(links.end(), part.begin(), part.end());
  }

 private:
  struct Reader {
    TNode node;
    TNode source;
  };
  /// The writers of one key in one chain, in its order, and how many of them a reader sees.
  struct Lane {
    std::uint32_t chain;
    std::size_t begin, end, seen;
  };

  void demand_for_key(KeyId key, Demands& demands) {
    std::vector<TNode>& writers = writers_[key];
    std::vector<Reader>& readers = readers_[key];
    if (writers.empty() || readers.empty()) return;
    const auto place = [&](TNode node) {
      return std::pair(chains_.chain(node), chains_.position(node));
    };
    std::sort(writers.begin(), writers.end(),
              [&](TNode a, TNode b) { return place(a) < place(b); });
    std::stable_sort(readers.begin(), readers.end(), [&](const Reader& a, const Reader& b) {
      return place(a.node) < place(b.node);
    });
    std::vector<Lane> lanes;
    for (std::size_t i = 0; i < writers.size(); ++i) {
      const std::uint32_t chain = chains_.chain(writers[i]);
      if (lanes.empty() || lanes.back().chain != chain) lanes.push_back({chain, i, i, i});
      lanes.back().end = i + 1;
    }
    std::uint32_t of_chain = UINT32_MAX;
    for (const Reader& reader : readers) {
      if (chains_.chain(reader.node) != of_chain) {
        of_chain = chains_.chain(reader.node);
        for (Lane& lane : lanes) lane.seen = lane.begin;
      }
      for (Lane& lane : lanes) demand_of_lane(key, reader, lane, demands);
    }
  }

  void demand_of_lane(KeyId key, const Reader& reader, Lane& lane, Demands& demands) {
    const std::uint32_t visible = seen_of_chain(reader.node, lane.chain);
    const std::vector<TNode>& writers = writers_[key];
    while (lane.seen < lane.end && chains_.position(writers[lane.seen]) < visible) ++lane.seen;
    if (lane.seen == lane.begin) return;
    const TNode last = writers[lane.seen - 1];
    const bool known = clocks_ != nullptr && reader.source != kInitialNode &&
                       last != reader.source &&
                       clocks_->seen(reader.source, lane.chain) > chains_.position(last);
    if (!known) demands.add(last, reader.source, reader.node, key);
  }

  /// How many transactions of the chain the reader must see. Without clocks: of its own session.
  std::uint32_t seen_of_chain(TNode node, std::uint32_t chain) const {
    if (clocks_ != nullptr) return clocks_->seen(node, chain);
    return chain == chains_.chain(node) ? chains_.position(node) : 0;
  }

  const Dependencies& dependencies_;
  const Chains& chains_;
  const Clocks* clocks_;
  std::vector<std::vector<TNode>> writers_;
  std::vector<std::vector<Reader>> readers_;
};

}  // namespace

std::vector<Link> known_order(const Dependencies& dependencies) {
  std::vector<Link> links = sessions_and_reads(dependencies);
  add_list_orders(dependencies, links);
  return links;
}

std::vector<std::vector<Link>> write_cycles(const Dependencies& dependencies) {
  std::vector<Link> links;
  for (const auto& [key, order] : dependencies.lists()) {
    TNode before = kInitialNode;
    for (std::size_t i = 0; i < order.nodes.size(); ++i) {
      const TNode node = order.nodes[i];
      // What is of unknown outcome may have been aborted: dirty reads are no matter here.
      if (dependencies.at(node).outcome == Outcome::info || node == before) continue;
      if (before != kInitialNode) links.push_back({before, node, Dependency::overwrites, key});
      if (i < order.unseen) before = node;
    }
  }
  return Digraph(dependencies.size(), std::move(links)).short_cycles();
}

std::vector<std::vector<Link>> weak_level_cycles(const Dependencies& dependencies,
                                                 WeakLevel level) {
  std::vector<Link> links = known_order(dependencies);
  Demands demands(links);
  if (level == WeakLevel::read_committed) {
    for (TNode node = 1; node < dependencies.size(); ++node)
      demand_read_committed(dependencies, node, demands);
  } else {
    const Chains chains(dependencies);
    if (level == WeakLevel::read_atomic) {
      for (TNode node = 1; node < dependencies.size(); ++node)
        demand_read_atomic(dependencies, node, demands);
      VisibleWriters(dependencies, chains, nullptr).demand(links);
    } else {
      const std::optional<Clocks> clocks = Clocks::of(dependencies, chains);
      if (clocks) VisibleWriters(dependencies, chains, &*clocks).demand(links);
    }
  }
  return Digraph(dependencies.size(), std::move(links)).short_cycles();
}

}  // namespace consistory
