#include "checkers/models/registry.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "base/suggest.h"
#include "checkers/models/causal.h"
#include "checkers/models/convergence.h"
#include "checkers/models/session_views.h"
#include "checkers/models/total_order.h"

namespace consistory {
namespace {

constexpr auto kMr = static_cast<GuaranteeSet>(Guarantee::monotonic_reads);
constexpr auto kMw = static_cast<GuaranteeSet>(Guarantee::monotonic_writes);
constexpr auto kRyw = static_cast<GuaranteeSet>(Guarantee::read_your_writes);
constexpr auto kWfr = static_cast<GuaranteeSet>(Guarantee::writes_follow_reads);

auto guarantees(GuaranteeSet set) {
  return [set](const History& history, Budget& budget) {
    return judge_guarantees(history, budget, set);
  };
}
auto view(Guarantee guarantee) {
  return [guarantee](const History& history, Budget& budget) {
    return judge_guarantee_view(history, budget, guarantee);
  };
}

const std::vector<Model>& table() {
  static const std::vector<Model> models = {
      {"linearizable", "lin", "linearizability atomic lin",
       "Operations take effect one at a time, each at some moment between its invocation and its "
       "completion.",
       "Judged key by key (it is a local property).", "A write x 1; B read x -> nil",
       "Herlihy and Wing 1990", judge_linearizable},
      {"sequential", "sc", "sequential-consistency sc",
       "There is one order of all operations that keeps every session's own order and explains "
       "every read.",
       "It promises nothing about real time: a read may be arbitrarily old, as long as all agree "
       "on the order.",
       "A write x 1; B write y 1; A read y -> nil; B read x -> nil", "Lamport 1979",
       judge_sequential},
      {"causal-convergence", "ccv", "ccv causal+",
       "Reads see everything in their causal past, and concurrent updates are ordered the same way "
       "for all.",
       "What last-writer-wins causal stores give. It does not imply causal memory, nor the other "
       "way round.",
       "A write x 1; B write x 2; A read x -> 2; B read x -> 1; A read x -> 1; B read x -> 2",
       "Bouajjani, Enea, Guerraoui and Hamza 2017; Perrin et al. 2016", judge_causal_convergence},
      {"causal", "cm", "causal-memory cm",
       "Each session sees all updates of its causal past in one order of its own that respects "
       "causality.",
       "Sessions may disagree for ever on the order of concurrent updates. The textbook's causal "
       "consistency.",
       "A write x 1; B read x -> 1; B write x 2; C read x -> 2; C read x -> 1",
       "Ahamad et al. 1995", judge_causal_memory},
      {"weak-causal", "cc", "cc", "Each read is explained by some order of its own causal past.",
       "A session may see two concurrent updates now in one order and now in the other.",
       "A write x 1; A write x 2; A read x -> 1", "Bouajjani, Enea, Guerraoui and Hamza 2017",
       judge_weak_causal},
      {"pram", "pram", "fifo",
       "Each session sees all updates in one order that keeps the order of every writer.",
       "Causality across sessions is not kept.",
       "A write x 1; A write x 2; B read x -> 2; B read x -> 1", "Lipton and Sandberg 1988",
       judge_pram},
      {"cache", "keysc", "coherence per-key-sequential", "Each key, taken alone, is sequential.",
       "Nothing is promised across keys.",
       "A write x 1; B write x 2; A read x -> 2; B read x -> 1; A read x -> 1; B read x -> 2",
       "Goodman 1989", judge_cache},
      {"sessions", "sess3", "session-guarantees",
       "Monotonic reads, monotonic writes and read your writes, all by one version order.",
       "Stronger than the three taken one by one; incomparable with PRAM.",
       "A write x 1; A write x 2; A read x -> 1", "Terry et al. 1994; MODELS §3.6",
       guarantees(kMr | kMw | kRyw), GuaranteeSet{kMr | kMw | kRyw}},
      {"monotonic-reads", "mr", "mr",
       "Once a session has seen an update, its later reads see it too.",
       "With one version order for the whole store; see monotonic-reads-view for stores without "
       "one.",
       "A append l 1; B read l -> [1]; B read l -> []", "Terry et al. 1994", guarantees(kMr), kMr},
      {"monotonic-writes", "mw", "mw",
       "A session's updates take effect in its order: whoever sees a later one sees the earlier "
       "ones.",
       "On plain registers nothing shows it; lists, cas and versions do.",
       "A append l 1; A append l 2; B read l -> [2]", "Terry et al. 1994", guarantees(kMw), kMw},
      {"read-your-writes", "ryw", "ryw", "A session's reads see all of its own earlier updates.",
       "On plain registers a stale own read may be excused by some version order; lists and "
       "versions show it.",
       "A write x 1; A read x -> nil", "Terry et al. 1994", guarantees(kRyw), kRyw},
      {"writes-follow-reads", "wfr", "wfr",
       "An update comes after everything its session had read: whoever sees it sees that too.", "",
       "A append l 1; B read l -> [1]; B append l 2; C read l -> [2]", "Terry et al. 1994",
       guarantees(kWfr), kWfr},
      {"monotonic-reads-view", "mr_v", "",
       "Monotonic reads, in one order of all updates per session.", "",
       "A write x 1; A write x 2; B read x -> 1; B read x -> 2; B read x -> 1",
       "MODELS §3.6, scope V", view(Guarantee::monotonic_reads)},
      {"monotonic-writes-view", "mw_v", "",
       "Monotonic writes, in one order of all updates per session.", "",
       "A append l 1; A append l 2; B read l -> [2]", "MODELS §3.6, scope V",
       view(Guarantee::monotonic_writes)},
      {"read-your-writes-view", "ryw_v", "",
       "Read your writes, in one order of all updates per session.", "",
       "A write x 1; A read x -> nil", "MODELS §3.6, scope V", view(Guarantee::read_your_writes)},
      {"writes-follow-reads-view", "wfr_v", "",
       "Writes follow reads, in one order of all updates per session.", "",
       "A append l 1; B read l -> [1]; B append l 2; C read l -> [2]", "MODELS §3.6, scope V",
       view(Guarantee::writes_follow_reads)},
      {"read-values", "rval", "integrity",
       "Every value read was written, and no list element appears twice.",
       "Nothing out of thin air, nothing from a write that failed.", "A read x -> 1", "MODELS §3.0",
       judge_read_values},
      {"convergence", "conv", "conv",
       "After healing and settling all replicas hold the same state.",
       "Judged on the final reads of every node; they may agree on something that lost updates.",
       "nodes n1 n2; A write x 1; F read x -> 1 @n1 final; G read x -> nil @n2 final",
       "MODELS §3.5", judge_convergence, std::nullopt, true},
      {"eventual", "ec", "eventual-consistency ec",
       "After healing and settling every replica holds every acknowledged update.",
       "Judged on the final reads of every node.",
       "nodes n1; A append l 1; F read l -> [] @n1 final", "Burckhardt 2014", judge_eventual,
       std::nullopt, true},
      {"strong-eventual", "sec", "sec",
       "Eventual, and replicas that hold the same updates are in the same state at all times.", "",
       "nodes n1; A append l 1; B append l 2; C read l -> [1 2]; F read l -> [2 1] @n1 final",
       "Shapiro et al. 2011", judge_strong_eventual, std::nullopt, true},
  };
  return models;
}

/// MODELS §4, names of the command line. BASE and the V&V forms are no models of the command line.
const std::map<std::string_view, std::vector<std::string_view>>& arrows() {
  static const std::map<std::string_view, std::vector<std::string_view>> implications = {
      {"linearizable", {"sequential"}},
      {"sequential", {"causal", "causal-convergence", "cache", "sessions", "writes-follow-reads"}},
      {"causal", {"weak-causal", "pram", "writes-follow-reads-view"}},
      {"pram", {"monotonic-reads-view", "read-your-writes-view", "monotonic-writes-view"}},
      {"causal-convergence", {"weak-causal", "sessions", "writes-follow-reads"}},
      {"sessions", {"monotonic-reads", "monotonic-writes", "read-your-writes"}},
      {"cache",
       {"monotonic-reads", "read-your-writes", "monotonic-reads-view", "read-your-writes-view"}},
      {"strong-eventual", {"eventual", "read-values"}},
      {"eventual", {"convergence"}},
      {"weak-causal", {"read-values"}},
      {"monotonic-reads", {"read-values"}},
      {"monotonic-writes", {"read-values"}},
      {"read-your-writes", {"read-values"}},
      {"writes-follow-reads", {"read-values"}},
      {"monotonic-reads-view", {"read-values"}},
      {"monotonic-writes-view", {"read-values"}},
      {"read-your-writes-view", {"read-values"}},
      {"writes-follow-reads-view", {"read-values"}},
  };
  return implications;
}

const Model* find_row(std::string_view name) {
  for (const Model& model : table()) {
    if (model.name == name) return &model;
    std::istringstream aliases{std::string(model.aliases)};
    for (std::string alias; aliases >> alias;) {
      if (alias == name) return &model;
    }
  }
  return nullptr;
}

/// Sets are made on first use and kept: a Model's address is its identity.
const Model* guarantee_set_model(GuaranteeSet set) {
  static std::mutex mutex;
  static std::map<GuaranteeSet, std::pair<std::string, Model>> made;
  const std::lock_guard lock(mutex);
  auto [place, added] = made.try_emplace(set);
  if (added) {
    place->second.first = name_of(set);
    place->second.second = {place->second.first,
                            "",
                            "",
                            "All of these session guarantees together, by one version order.",
                            "",
                            "",
                            "Terry et al. 1994; MODELS §3.6",
                            guarantees(set),
                            set};
  }
  return &place->second.second;
}

}  // namespace

std::span<const Model> all_models() { return table(); }

Result<const Model*> find_model(std::string_view name) {
  if (const Model* row = find_row(name)) return row;
  if (name.find('+') == std::string_view::npos) {
    return usage_error(unknown_name("model", name, model_names()));
  }
  const std::map<std::string_view, GuaranteeSet> single = {{"monotonic-reads", kMr},
                                                           {"monotonic-writes", kMw},
                                                           {"read-your-writes", kRyw},
                                                           {"writes-follow-reads", kWfr}};
  GuaranteeSet set = 0;
  std::istringstream parts{std::string(name)};
  for (std::string part; std::getline(parts, part, '+');) {
    const Model* row = find_row(part);
    const auto found = single.find(row == nullptr ? std::string_view(part) : row->name);
    if (found == single.end()) {
      return usage_error(unknown_name(
          "session guarantee", part,
          {"monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads"}));
    }
    set = static_cast<GuaranteeSet>(set | found->second);
  }
  return guarantee_set_model(set);
}

std::vector<std::string_view> implied_by(std::string_view name) {
  std::set<std::string_view> seen;
  std::deque<std::string_view> todo = {name};
  while (!todo.empty()) {
    const auto found = arrows().find(todo.front());
    todo.pop_front();
    if (found == arrows().end()) continue;
    for (const std::string_view next : found->second) {
      if (seen.insert(next).second) todo.push_back(next);
    }
  }
  return {seen.begin(), seen.end()};
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Model& model : table()) names.emplace_back(model.name);
  return names;
}

}  // namespace consistory
