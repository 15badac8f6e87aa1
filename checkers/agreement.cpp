#include "checkers/agreement.h"

#include <fmt/format.h>
#include <tsl/robin_map.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace consistory {
namespace {

bool is_answer(const Operation& operation) {
  return operation.function == Function::read && operation.outcome == Outcome::ok &&
         operation.node != kNoNode;
}

bool same_answer(const History& history, const Operation& a, const Operation& b) {
  const auto left = history.elements_of(a);
  const auto right = history.elements_of(b);
  return a.value == b.value && std::equal(left.begin(), left.end(), right.begin(), right.end());
}

class Measurement {
 public:
  Measurement(const History& history, Nanos healed_ns)
      : history_(history), healed_ns_(healed_ns), keys_(history.keys.size()) {}

  Agreement run() {
    for (const Operation& operation : history_.operations) {
      if (operation.updates() && operation.outcome != Outcome::fail) note_update(operation);
      if (is_answer(operation)) compare(operation);
    }
    for (const Key& key : keys_) {
      if (key.final == nullptr) continue;
      ++(key.diverged ? agreement_.keys_diverged : agreement_.keys_converged);
    }
    for (auto at = history_.operations.rbegin(); at != history_.operations.rend(); ++at) {
      if (is_answer(*at)) bound(*at);
    }
    for (const auto& [place, node] : nodes_) {  // in any order: the most counts
      if (node.first_final >= 0)
        raise(agreement_.converged_after_at_most, static_cast<KeyId>(place >> 32),
              node.first_final);
    }
    return agreement_;
  }

 private:
  struct Key {
    const Operation* last_read = nullptr;  // of the load
    const Operation* final = nullptr;
    bool diverged = false;
    Nanos quiet_from = 0;  // no update and no fault later
  };
  struct Node {
    Nanos first_final = -1;  // completion of the earliest read of the suffix that is all final
    bool other = false;      // the suffix has ended
  };

  void note_update(const Operation& update) {
    Nanos& quiet = keys_[update.key].quiet_from;
    quiet = std::max({quiet, update.invoke_ns, update.complete_ns, healed_ns_});
  }

  void compare(const Operation& read) {
    Key& key = keys_[read.key];
    if (read.final) {
      if (key.final == nullptr) key.final = &read;
      key.diverged = key.diverged || !same_answer(history_, *key.final, read);
      return;
    }
    const Operation* before = std::exchange(key.last_read, &read);
    if (before == nullptr || before->node == read.node) return;
    ++agreement_.pairs;
    agreement_.agreeing += same_answer(history_, *before, read) ? 1 : 0;
  }

  /// From the last read to the first: does the node still return what is final?
  void bound(const Operation& read) {
    const Key& key = keys_[read.key];
    if (key.final == nullptr || key.diverged) return;
    Node& node = nodes_[std::uint64_t{read.key} << 32 | read.node];
    if (node.other) return;
    if (same_answer(history_, *key.final, read)) {
      node.first_final = read.complete_ns;
      return;
    }
    node.other = true;
    raise(agreement_.converged_after_at_least, read.key, read.invoke_ns);
  }

  void raise(Nanos& most, KeyId key, Nanos time) {
    most = std::max(most, time - keys_[key].quiet_from);
  }

  const History& history_;
  Nanos healed_ns_;
  std::vector<Key> keys_;
  tsl::robin_map<std::uint64_t, Node, MixHash> nodes_;  // by key and node
  Agreement agreement_;
};

}  // namespace

Agreement measure_agreement(const History& history, Nanos healed_ns) {
  return Measurement(history, healed_ns).run();
}

std::string agreement_text(const Agreement& agreement) {
  if (agreement.pairs == 0 && agreement.keys_converged + agreement.keys_diverged == 0)
    return "not measured: no key was read at two nodes";
  std::string text;
  if (agreement.pairs > 0)
    text = fmt::format(
        "replicas agreed in {:.1f} % of {} pairs of reads",
        100.0 * static_cast<double>(agreement.agreeing) / static_cast<double>(agreement.pairs),
        agreement.pairs);
  if (agreement.keys_diverged > 0)
    text +=
        fmt::format("{}{} of {} keys never converged", text.empty() ? "" : "; ",
                    agreement.keys_diverged, agreement.keys_diverged + agreement.keys_converged);
  if (agreement.keys_converged > 0)
    text += fmt::format("{}{} keys converged after {:.3f} to {:.3f} s", text.empty() ? "" : "; ",
                        agreement.keys_converged,
                        static_cast<double>(agreement.converged_after_at_least) / kSecond,
                        static_cast<double>(agreement.converged_after_at_most) / kSecond);
  return text;
}

}  // namespace consistory
