#include "checkers/transactions/chains.h"

#include <algorithm>
#include <stdexcept>

#include "base/limits.h"

namespace consistory {
namespace {

constexpr std::size_t kClockEntriesMax = std::size_t{1} << 29;

}  // namespace

Chains::Chains(const Dependencies& dependencies)
    : chain_(dependencies.size(), 0), position_(dependencies.size(), 0) {
  std::vector<std::uint32_t> length(dependencies.history().sessions.size(), 0);
  for (TNode node = 1; node < dependencies.size(); ++node) {
    chain_[node] = dependencies.at(node).session;
    position_[node] = length[chain_[node]]++;
  }
  count_ = static_cast<std::uint32_t>(length.size());
}

std::vector<Link> sessions_and_reads(const Dependencies& dependencies) {
  std::vector<Link> links;
  for (TNode node = 1; node < dependencies.size(); ++node) {
    const TNode before = dependencies.previous(node);
    if (before != kInitialNode) links.push_back({before, node, Dependency::session});
    for (const ExternalRead& read : dependencies.reads(node)) {
      if (read.source != kInitialNode)
        links.push_back({read.source, node, Dependency::reads_from, read.key});
    }
  }
  return links;
}

std::optional<Clocks> Clocks::of(const Dependencies& dependencies, const Chains& chains,
                                 const Digraph& links) {
  if (std::size_t{dependencies.size()} * chains.count() > kClockEntriesMax)
    throw std::length_error(
        "transactions times sessions are too many for vector clocks (2^29 entries)");
  const auto order = links.order(std::vector<std::int64_t>(links.size(), 0));
  if (!order) return std::nullopt;
  Clocks clocks;
  clocks.chains_ = chains.count();
  clocks.seen_.assign(std::size_t{dependencies.size()} * chains.count(), 0);
  for (const TNode node : *order) {
    if (node % 1024 == 0) check_time();
    const std::uint32_t* own = clocks.seen_.data() + std::size_t{node} * clocks.chains_;
    for (const Link& link : links.out(node)) {
      std::uint32_t* other = clocks.seen_.data() + std::size_t{link.to} * clocks.chains_;
      for (std::size_t chain = 0; chain < clocks.chains_; ++chain)
        other[chain] = std::max(other[chain], own[chain]);
      if (node == kInitialNode) continue;
      std::uint32_t& place = other[chains.chain(node)];
      place = std::max(place, chains.position(node) + 1);
    }
  }
  return clocks;
}

std::optional<Clocks> Clocks::of(const Dependencies& dependencies, const Chains& chains) {
  return of(dependencies, chains, Digraph(dependencies.size(), sessions_and_reads(dependencies)));
}

}  // namespace consistory
