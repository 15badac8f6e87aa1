#include "checkers/fast/final_states.h"

#include <algorithm>
#include <map>
#include <set>

#include <utility>
#include "checkers/fast/writers.h"

namespace consistory {
namespace {

bool counts(const Operation& operation) {
  return operation.outcome != Outcome::fail &&
         !(operation.is_info() && operation.function == Function::read);
}

class FinalStates {
 public:
  FinalStates(const History& history, FinalModel model)
      : history_(history), model_(model), writers_(history) {
    keys_.resize(history.keys.size());
  }

  FinalFinding decide() {
    if (!history_.settled || !gather() || !settle_versions()) return {};
    if (model_ == FinalModel::strong_eventual) count_observed();
    for (KeyId key = 0; key < keys_.size(); ++key) {
      if (!judge_key(key)) return finding_;
    }
    if (model_ == FinalModel::strong_eventual && !judge_all_reads()) return finding_;
    return {Finding::Answer::holds, {}};
  }

 private:
  struct Key {
    std::vector<OperationId> finals;
    OperationId last_acknowledged = kNoOne;
    std::size_t acknowledged = 0;
    OperationId highest = kNoOne;  // the acknowledged update with the highest version
  };
  static constexpr OperationId kNoOne = UINT32_MAX;

  const Operation& at(OperationId id) const { return history_.operations[id]; }
  bool violated(std::vector<OperationId> evidence) {
    for (std::size_t i = 0, count = evidence.size(); i < count; ++i) {
      if (const auto seen = observer_.find(evidence[i]); seen != observer_.end())
        evidence.push_back(seen->second);
    }
    std::sort(evidence.begin(), evidence.end());
    evidence.erase(std::unique(evidence.begin(), evidence.end()), evidence.end());
    std::erase(evidence, kNoOne);
    finding_ = {Finding::Answer::violated, std::move(evidence)};
    return false;
  }

  /// False where the one pass is not enough: cas, deletes, values written twice.
  bool gather() {
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = at(id);
      if (!counts(operation)) continue;
      if (operation.function == Function::cas || operation.function == Function::remove)
        return false;
      if (operation.function == Function::read) {
        if (operation.final) keys_[operation.key].finals.push_back(id);
      } else if (!add_update(id)) {
        return false;
      }
    }
    return true;
  }

  bool add_update(OperationId id) {
    const Operation& operation = at(id);
    writers_.add(id);
    if (operation.value == kNil || writers_.repeats()) return false;
    if (operation.is_info()) return true;
    Key& key = keys_[operation.key];
    key.last_acknowledged = id;
    ++key.acknowledged;
    return true;
  }

  /// Reads tell the versions of what they returned; false where versions contradict each other.
  bool settle_versions() {
    version_.assign(history_.size(), kNoVersion);
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (at(id).updates()) version_[id] = at(id).version;
    }
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!settle_read(id)) return false;
    }
    std::set<std::pair<KeyId, std::int64_t>> known;
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!counts(at(id)) || version_[id] == kNoVersion) continue;
      if (version_[id] == 0 || !known.insert({at(id).key, version_[id]}).second) return false;
      OperationId& highest = keys_[at(id).key].highest;
      if (at(id).is_info()) continue;
      if (highest == kNoOne || version_[highest] < version_[id]) highest = id;
    }
    return true;
  }

  bool settle_read(OperationId id) {
    const Operation& read = at(id);
    const bool matters = read.final || model_ == FinalModel::strong_eventual;
    if (!counts(read) || read.function != Function::read || !matters) return true;
    if (!read.has_version() || history_.is_list[read.key]) return true;
    if (read.value == kNil) return read.version == 0;
    const OperationId writer = writer_of(read.key, read.value);
    if (writer == kNoOne) return true;
    if (version_[writer] == kNoVersion) teller_[writer] = id;
    if (version_[writer] == kNoVersion) version_[writer] = read.version;
    return version_[writer] == read.version;
  }

  /// The update of the key that wrote the value; kNoOne.
  OperationId writer_of(KeyId key, ValueId value) const { return writers_.find(key, value); }
  OperationId writer_of(OperationId read) const { return writer_of(at(read).key, at(read).value); }

  /// An indeterminate update that any read returned has taken effect, at every replica.
  void count_observed() {
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& read = at(id);
      if (!counts(read) || read.function != Function::read) continue;
      if (!history_.is_list[read.key]) observe(writer_of(read.key, read.value), id);
      for (const ValueId element : history_.elements_of(read))
        observe(writer_of(read.key, element), id);
    }
  }

  void observe(OperationId update, OperationId reader) {
    if (update == kNoOne || !at(update).is_info()) return;
    if (!observer_.try_emplace(update, reader).second) return;
    Key& key = keys_[at(update).key];
    key.last_acknowledged = update;
    ++key.acknowledged;
    if (version_[update] == kNoVersion) return;
    if (key.highest == kNoOne || version_[key.highest] < version_[update]) key.highest = update;
  }

  bool is_acknowledged(OperationId update) const {
    return at(update).outcome == Outcome::ok || observer_.contains(update);
  }

  bool judge_key(KeyId key) {
    const std::vector<OperationId>& finals = keys_[key].finals;
    if (finals.empty()) return true;
    for (const OperationId id : finals) {
      if (!is_explained(id)) return violated({id});
      if (!same_state(finals.front(), id)) return disagree(finals.front(), id);
    }
    if (model_ == FinalModel::convergence) return true;
    return history_.is_list[key] ? judge_list(keys_[key]) : judge_register(keys_[key]);
  }

  bool is_explained(OperationId id) const {
    const Operation& read = at(id);
    if (!history_.is_list[read.key])
      return read.value == kNil || writer_of(read.key, read.value) != kNoOne;
    std::set<ValueId> seen;
    for (const ValueId element : history_.elements_of(read)) {
      if (writer_of(read.key, element) == kNoOne || !seen.insert(element).second) return false;
    }
    return true;
  }

  bool same_state(OperationId a, OperationId b) const {
    const auto left = history_.elements_of(at(a));
    const auto right = history_.elements_of(at(b));
    return at(a).value == at(b).value &&
           std::equal(left.begin(), left.end(), right.begin(), right.end());
  }

  bool disagree(OperationId a, OperationId b) {
    std::vector<OperationId> evidence = {a, b};
    for (const OperationId id : {a, b}) {
      if (!history_.is_list[at(id).key]) evidence.push_back(writer_of(id));
    }
    const auto left = history_.elements_of(at(a));
    const auto right = history_.elements_of(at(b));
    const auto [x, y] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
    if (x != left.end()) evidence.push_back(writer_of(at(a).key, *x));
    if (y != right.end()) evidence.push_back(writer_of(at(b).key, *y));
    return violated(std::move(evidence));
  }

  bool judge_register(const Key& key) {
    const OperationId read = key.finals.front();
    if (at(read).value == kNil)
      return key.acknowledged == 0 || violated({read, key.last_acknowledged});
    const OperationId winner = writer_of(read);
    const std::int64_t version = version_[winner];
    const bool beaten =
        version != kNoVersion && key.highest != kNoOne && version_[key.highest] > version;
    if (!beaten) return true;
    std::vector<OperationId> evidence = {read, winner, key.highest};
    for (const OperationId update : {winner, key.highest}) {
      if (const auto told = teller_.find(update); told != teller_.end())
        evidence.push_back(told->second);
    }
    return violated(std::move(evidence));
  }

  /// Every acknowledged append is there, in the order of the versions.
  bool judge_list(const Key& key) {
    const OperationId read = key.finals.front();
    std::size_t present = 0;
    std::set<OperationId> shown;
    OperationId highest = kNoOne;
    for (const ValueId element : history_.elements_of(at(read))) {
      const OperationId append = writer_of(at(read).key, element);
      if (version_[append] != kNoVersion) {
        if (highest != kNoOne && version_[highest] > version_[append])
          return violated({read, highest, append});
        highest = append;
      }
      shown.insert(append);
      present += is_acknowledged(append) ? 1 : 0;
    }
    if (present == key.acknowledged) return true;
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& append = at(id);
      const bool here =
          append.key == at(read).key && append.function == Function::append && is_acknowledged(id);
      if (here && !shown.contains(id)) return violated({read, id});
    }
    return true;
  }

  /// Every value read was written, and lists with the same elements are in the same order.
  bool judge_all_reads() {
    std::map<std::pair<KeyId, std::vector<ValueId>>, OperationId> orders;
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& read = at(id);
      if (!counts(read) || read.function != Function::read) continue;
      if (!is_explained(id)) return violated(with_a_final({id}));
      if (read.list.size < 2) continue;
      const auto elements = history_.elements_of(read);
      std::vector<ValueId> sorted(elements.begin(), elements.end());
      std::sort(sorted.begin(), sorted.end());
      const auto [first, fresh] = orders.try_emplace({read.key, std::move(sorted)}, id);
      if (fresh || same_state(first->second, id)) continue;
      std::vector<OperationId> evidence = {first->second, id};
      for (const ValueId element : elements) evidence.push_back(writer_of(read.key, element));
      return violated(with_a_final(std::move(evidence)));
    }
    return true;
  }

  /// Without any final read the model would not be judged at all.
  std::vector<OperationId> with_a_final(std::vector<OperationId> evidence) const {
    const Key* any = nullptr;
    for (const Key& key : keys_) {
      if (!key.finals.empty() && any == nullptr) any = &key;
    }
    const KeyId own = at(evidence.front()).key;
    if (!keys_[own].finals.empty()) any = &keys_[own];
    if (any == nullptr) return evidence;
    const OperationId final = any->finals.front();
    evidence.push_back(final);
    if (!history_.is_list[at(final).key]) evidence.push_back(writer_of(final));
    return evidence;
  }

  const History& history_;
  FinalModel model_;
  std::vector<Key> keys_;
  Writers writers_;
  std::vector<std::int64_t> version_;  // per operation: of an update, however it became known
  std::map<OperationId, OperationId> teller_;    // per update: the read that told its version
  std::map<OperationId, OperationId> observer_;  // per indeterminate update: a read that shows it
  FinalFinding finding_;
};

}  // namespace

FinalFinding decide_final_states(const History& history, FinalModel model) {
  return FinalStates(history, model).decide();
}

}  // namespace consistory
