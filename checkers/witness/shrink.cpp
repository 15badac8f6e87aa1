#include "checkers/witness/shrink.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <set>
#include <unordered_map>

namespace consistory {
namespace {

constexpr std::uint64_t kStepsPerTry = 300'000;
/// Bounds the work on a violation that cannot be narrowed: operations judged in all tries together.
constexpr std::size_t kJudgedMax = 3'000'000;

using Ids = std::vector<OperationId>;

/// Which operations may have read which: what a deletion must take with it.
class Dependencies {
 public:
  /// `whole_lists`: a list read goes with any of its elements, instead of losing that element.
  Dependencies(const History& history, bool whole_lists)
      : history_(history), whole_lists_(whole_lists) {
    for (OperationId id = 0; id < history.size(); ++id) {
      const Operation& operation = history.operations[id];
      if (!operation.updates() || operation.outcome == Outcome::fail) continue;
      writers_[code(operation.key, written(operation))].push_back(id);
      updates_[operation.key].push_back(id);
    }
  }

  /// The updates that a register read or cas may have read.
  Ids sources(OperationId id) const {
    const Operation& operation = history_.operations[id];
    if (!operation.reads()) return {};
    if (history_.is_list[operation.key]) return whole_lists_ ? element_sources(operation) : Ids{};
    if (operation.function == Function::read) return writers(operation.key, operation.value, id);
    const bool mismatch = !operation.updates();
    if (mismatch && operation.has_seen()) return writers(operation.key, operation.seen, id);
    if (!mismatch) return writers(operation.key, operation.expected, id);
    const auto found = updates_.find(operation.key);
    return found == updates_.end() ? Ids{} : found->second;
  }

  Ids element_sources(const Operation& operation) const {
    Ids ids;
    for (const ValueId element : history_.elements_of(operation)) {
      const Ids appends = writers(operation.key, element, kNoOperation);
      ids.insert(ids.end(), appends.begin(), appends.end());
    }
    return ids;
  }

  Ids writers(KeyId key, ValueId value, OperationId except) const {
    const auto found = writers_.find(code(key, value));
    Ids ids = found == writers_.end() ? Ids{} : found->second;
    std::erase(ids, except);
    return ids;
  }

 private:
  static std::uint64_t code(KeyId key, ValueId value) {
    return static_cast<std::uint64_t>(key) << 32 | value;
  }
  static ValueId written(const Operation& operation) {
    return operation.function == Function::remove ? kNil : operation.value;
  }

  const History& history_;
  bool whole_lists_;
  std::unordered_map<std::uint64_t, Ids> writers_;
  std::unordered_map<KeyId, Ids> updates_;
};

class Shrinker {
 public:
  Shrinker(const History& history, const Model& model, const ModelVerdict& verdict)
      : history_(history),
        model_(model),
        dependencies_(history, model.name == "strong-eventual"),
        found_(verdict) {}

  Shrunk run(const Ids& seed) {
    Ids kept = first_violating(seed);
    bool minimal = false;
    for (std::size_t chunk = std::max<std::size_t>(kept.size() / 2, 1);; chunk /= 2) {
      const bool changed = delete_chunks(kept, chunk);
      if (chunk == 1) {
        if (changed && !spent()) {
          chunk = 2;  // once more: a deletion may have made another possible
          continue;
        }
        minimal = !spent();
        break;
      }
    }
    return {restricted(kept), kept, found_, minimal};
  }

 private:
  bool spent() const { return judged_ > kJudgedMax; }

  bool violates(const Ids& kept) {
    judged_ += kept.size() + 1;
    Budget budget(kStepsPerTry);
    ModelVerdict verdict = ModelVerdict::inconclusive({});
    try {
      verdict = model_.judge(restricted(kept), budget);
    } catch (const std::exception&) {  // out of time or memory: what was found stands
      judged_ = kJudgedMax + 1;
    }
    const bool violated = verdict.verdict == Verdict::violated;
    if (violated) found_ = std::move(verdict);
    return violated;
  }

  /// The seed with its sources; else all operations of its keys; else everything.
  Ids first_violating(const Ids& seed) {
    Ids kept = with_sources(seed);
    if (!kept.empty() && violates(kept)) return kept;
    std::set<KeyId> keys;
    for (const OperationId id : kept) keys.insert(history_.operations[id].key);
    Ids of_keys;
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (keys.contains(history_.operations[id].key)) of_keys.push_back(id);
    }
    if (!of_keys.empty() && violates(of_keys)) return of_keys;
    Ids all(history_.size());
    std::iota(all.begin(), all.end(), 0U);
    violates(all);
    return all;
  }

  Ids with_sources(const Ids& seed) const {
    std::set<OperationId> kept(seed.begin(), seed.end());
    Ids todo = seed;
    while (!todo.empty()) {
      const OperationId id = todo.back();
      todo.pop_back();
      for (const OperationId source : dependencies_.sources(id)) {
        if (kept.insert(source).second) todo.push_back(source);
      }
    }
    return {kept.begin(), kept.end()};
  }

  bool delete_chunks(Ids& kept, std::size_t chunk) {
    bool changed = false;
    for (std::size_t first = 0; first < kept.size() && !spent();) {
      const Ids smaller = without(kept, first, std::min(first + chunk, kept.size()));
      if (smaller.size() < kept.size() && violates(smaller)) {
        kept = smaller;
        changed = true;
      } else {
        first += chunk;
      }
    }
    return changed;
  }

  /// Deletes kept[first, last) and, recursively, every reader of a deleted update.
  Ids without(const Ids& kept, std::size_t first, std::size_t last) const {
    std::set<OperationId> rest(kept.begin(), kept.end());
    for (std::size_t i = first; i < last; ++i) {
      rest.erase(kept[i]);
      const Operation& operation = history_.operations[kept[i]];
      if (operation.function != Function::append) continue;  // an element goes with all its appends
      for (const OperationId twin :
           dependencies_.writers(operation.key, operation.value, kept[i])) {
        rest.erase(twin);
      }
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (auto at = rest.begin(); at != rest.end();) {
        const Ids sources = dependencies_.sources(*at);
        const bool stays = std::all_of(sources.begin(), sources.end(),
                                       [&](OperationId source) { return rest.contains(source); });
        changed = changed || !stays;
        at = stays ? std::next(at) : rest.erase(at);
      }
    }
    return {rest.begin(), rest.end()};
  }

  /// The kept operations; lists lose the elements whose appends are gone.
  History restricted(const Ids& kept) const {
    History rest = subset(history_, kept);
    std::set<OperationId> present(kept.begin(), kept.end());
    for (Operation& operation : rest.operations) {
      const std::span<const ValueId> whole = rest.elements_of(operation);
      if (whole.empty()) continue;
      std::vector<ValueId> elements(whole.begin(), whole.end());
      std::erase_if(elements, [&](ValueId element) {
        const Ids appends = dependencies_.writers(operation.key, element, kNoOperation);
        return !appends.empty() &&
               std::none_of(appends.begin(), appends.end(),
                            [&](OperationId append) { return present.contains(append); });
      });
      set_elements(rest, operation, elements);
    }
    return rest;
  }

  const History& history_;
  const Model& model_;
  Dependencies dependencies_;
  std::size_t judged_ = 0;
  ModelVerdict found_;  // of the smallest remainder that violates
};

}  // namespace

Shrunk shrink(const History& history, const Model& model, const ModelVerdict& verdict) {
  return Shrinker(history, model, verdict).run(verdict.proof.operations);
}

}  // namespace consistory
