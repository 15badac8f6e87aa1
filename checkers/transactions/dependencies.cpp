#include "checkers/transactions/dependencies.h"

#include <fmt/format.h>
#include <tsl/robin_map.h>

#include <algorithm>

#include "base/escape.h"
#include "base/hash.h"

namespace consistory {

std::string_view name_of(ReadAnomaly anomaly) {
  switch (anomaly) {
    case ReadAnomaly::thin_air:
      return "thin-air-read";
    case ReadAnomaly::aborted_read:
      return "G1a-aborted-read";
    case ReadAnomaly::intermediate_read:
      return "G1b-intermediate-read";
    case ReadAnomaly::internal:
      return "internal";
    case ReadAnomaly::incompatible_order:
      return "incompatible-order";
    case ReadAnomaly::repeated_element:
      return "repeated-element";
  }
  return {};
}

namespace {

constexpr TNode kNobody = UINT32_MAX;
/// More of one kind tell nothing new, and a broken history has one for each read.
constexpr std::size_t kAnomaliesMax = 100'000;

std::uint64_t code(KeyId key, ValueId value) { return std::uint64_t{key} << 32 | value; }

struct Writer {
  TransactionId transaction = 0;
  std::uint32_t step = 0;
  bool last = true;  ///< its transaction's last update of the key
};

}  // namespace

class DependencyFinder {
 public:
  explicit DependencyFinder(const TransactionHistory& history) : history_(history) {
    found_.history_ = &history;
  }

  std::optional<Dependencies> find(std::string& why) {
    if (!find_writers(why)) return std::nullopt;
    number_nodes();
    order_lists();
    found_.read_first_ = {0, 0};
    found_.update_first_ = {0, 0};
    for (TNode node = 1; node < found_.size(); ++node) {
      note_updates(node);
      note_reads(node);
      found_.read_first_.push_back(static_cast<std::uint32_t>(found_.reads_.size()));
      found_.update_first_.push_back(static_cast<std::uint32_t>(found_.updates_.size()));
    }
    add_unseen_appends();
    return std::move(found_);
  }

 private:
  bool find_writers(std::string& why) {
    std::size_t updates = 0;
    for (const Step& step : history_.steps) updates += step.access != Access::read ? 1 : 0;
    writers_.reserve(updates);
    for (TransactionId id = 0; id < history_.transactions.size(); ++id) {
      const Transaction& transaction = history_.transactions[id];
      for (std::uint32_t at = transaction.first; at < transaction.first + transaction.count; ++at) {
        const Step& step = history_.steps[at];
        if (step.access == Access::read) continue;
        const auto [place, fresh] =
            writers_.try_emplace(code(step.key, step.value), Writer{id, at});
        if (!fresh || (step.access == Access::write && step.value == kNil)) {
          why = fmt::format(
              "key {} gets the value {} more than once, so that it is open who read it "
              "from whom; write unique values",
              escape_terminal(shorten(history_.keys[step.key], 60)),
              escape_terminal(shorten(to_string(history_.values[step.value]), 60)));
          return false;
        }
      }
    }
    mark_overwritten();
    return true;
  }

  void mark_overwritten() {
    std::vector<TransactionId> later(history_.keys.size(), UINT32_MAX);
    for (TransactionId id = 0; id < history_.transactions.size(); ++id) {
      const auto steps = history_.steps_of(id);
      for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        if (step->access == Access::read) continue;
        if (later[step->key] == id) writers_[code(step->key, step->value)].last = false;
        later[step->key] = id;
      }
    }
  }

  const Writer* writer(KeyId key, ValueId value) const {
    const auto found = writers_.find(code(key, value));
    return found == writers_.end() ? nullptr : &found->second;
  }

  /// Transactions of unknown outcome took effect if somebody who took effect read from them.
  void number_nodes() {
    const auto& transactions = history_.transactions;
    std::vector<bool> counts(transactions.size());
    const bool any_unknown = std::any_of(
        transactions.begin(), transactions.end(),
        [](const Transaction& transaction) { return transaction.outcome == Outcome::info; });
    std::vector<ElementRange> known(history_.keys.size());  // a long list that was looked at
    const auto observe = [&](KeyId key, ValueId value) {
      const Writer* from = writer(key, value);
      if (from != nullptr && transactions[from->transaction].outcome == Outcome::info)
        counts[from->transaction] = true;
    };
    for (TransactionId id = 0; id < transactions.size(); ++id) {
      if (transactions[id].outcome != Outcome::ok) continue;
      counts[id] = true;
      if (!any_unknown) continue;
      for (const Step& step : history_.steps_of(id)) {
        if (step.access != Access::read) continue;
        if (!history_.is_list[step.key]) observe(step.key, step.value);
        else
          for (const ValueId element : beyond(known[step.key], step.list))
            observe(step.key, element);
      }
    }
    node_of_.assign(transactions.size(), kNobody);
    found_.transactions_ = {UINT32_MAX};
    found_.previous_ = {kInitialNode};
    std::vector<TNode> last(history_.sessions.size(), kInitialNode);
    for (TransactionId id = 0; id < transactions.size(); ++id) {
      if (!counts[id]) continue;
      node_of_[id] = found_.size();
      found_.transactions_.push_back(id);
      TNode& before = last[transactions[id].session];
      found_.previous_.push_back(before);
      if (transactions[id].outcome == Outcome::ok) before = node_of_[id];
    }
  }

  /// The elements of `list` after what it begins with as `known` does, which the longer becomes.
  std::span<const ValueId> beyond(ElementRange& known, const ElementRange& list) const {
    const auto before = elements(known), now = elements(list);
    const auto same = std::min(before.size(), now.size());
    const auto differ =
        std::mismatch(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(same), before.begin());
    if (list.size > known.size) known = list;
    return now.subspan(static_cast<std::size_t>(differ.first - now.begin()));
  }

  /// The longest read of each list tells the order; others must be its beginnings.
  void order_lists() {
    longest_.assign(history_.keys.size(), {});
    longest_reader_.assign(history_.keys.size(), 0);
    for (TNode node = 1; node < found_.size(); ++node) {
      for (const Step& step : history_.steps_of(found_.transaction(node))) {
        if (step.access != Access::read || step.list.size <= longest_[step.key].size) continue;
        longest_[step.key] = step.list;
        longest_reader_[step.key] = found_.transaction(node);
      }
    }
    for (KeyId key = 0; key < history_.keys.size(); ++key) {
      if (!history_.is_list[key]) continue;
      Dependencies::ListOrder& order = found_.lists_[key];
      for (const ValueId element : elements(longest_[key])) {
        const Writer* from = writer(key, element);
        const TNode node = from == nullptr ? kNobody : node_of_[from->transaction];
        if (node == kNobody) continue;
        if (order.nodes.empty() || order.nodes.back() != node) order.nodes.push_back(node);
      }
      order.unseen = order.nodes.size();
    }
  }

  std::span<const ValueId> elements(const ElementRange& range) const {
    return std::span(history_.elements).subspan(range.begin, range.size);
  }

  void note(ReadAnomaly anomaly, TransactionId reader, TransactionId other, KeyId key) {
    if (found_.anomalies_.size() < kAnomaliesMax)
      found_.anomalies_.push_back({anomaly, reader, other, key});
  }

  void note_updates(TNode node) {
    const std::size_t first = found_.updates_.size();
    for (const Step& step : history_.steps_of(found_.transaction(node))) {
      if (step.access != Access::read) found_.updates_.push_back(step.key);
    }
    const auto begin = found_.updates_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, found_.updates_.end());
    found_.updates_.erase(std::unique(begin, found_.updates_.end()), found_.updates_.end());
  }

  void note_reads(TNode node) {
    const auto steps = history_.steps_of(found_.transaction(node));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].access != Access::read) continue;
      if (history_.is_list[steps[i].key]) note_list_read(node, steps, i);
      else note_register_read(node, steps, i);
    }
  }

  void note_register_read(TNode node, std::span<const Step> steps, std::size_t place) {
    const Step& read = steps[place];
    const TransactionId reader = found_.transaction(node);
    for (std::size_t i = place; i-- > 0;) {
      if (steps[i].access == Access::read || steps[i].key != read.key) continue;
      if (steps[i].value != read.value) note(ReadAnomaly::internal, reader, reader, read.key);
      return;
    }
    if (read.value == kNil) {
      add_read(node, {read.key, kInitialNode, kInitialNode});
      return;
    }
    const TNode source = source_of(read.key, read.value, reader, true);
    if (source != kNobody) add_read(node, {read.key, source, kInitialNode});
  }

  /// Who wrote it, if that is a node and no anomaly.
  TNode source_of(KeyId key, ValueId value, TransactionId reader, bool must_be_last) {
    const Writer* from = writer(key, value);
    if (from == nullptr) {
      note(ReadAnomaly::thin_air, reader, reader, key);
      return kNobody;
    }
    if (from->transaction == reader) {
      note(ReadAnomaly::internal, reader, reader, key);  // what it writes only later
      return kNobody;
    }
    if (history_.transactions[from->transaction].outcome == Outcome::fail) {
      note(ReadAnomaly::aborted_read, reader, from->transaction, key);
      return kNobody;
    }
    if (must_be_last && !from->last)
      note(ReadAnomaly::intermediate_read, reader, from->transaction, key);
    return node_of_[from->transaction];
  }

  void note_list_read(TNode node, std::span<const Step> steps, std::size_t place) {
    const Step& read = steps[place];
    const TransactionId reader = found_.transaction(node);
    std::span<const ValueId> list = history_.elements_of(read);
    check_elements(read, reader, list);
    std::vector<ValueId> own;
    for (std::size_t i = 0; i < place; ++i) {
      if (steps[i].access != Access::read && steps[i].key == read.key)
        own.push_back(steps[i].value);
    }
    const bool ends_with_own =
        list.size() >= own.size() &&
        std::equal(own.begin(), own.end(), list.end() - static_cast<std::ptrdiff_t>(own.size()));
    if (!ends_with_own) {
      note(ReadAnomaly::internal, reader, reader, read.key);
      return;
    }
    list = list.first(list.size() - own.size());
    ExternalRead external{read.key, kInitialNode, kInitialNode};
    if (!list.empty()) external.source = source_of(read.key, list.back(), reader, true);
    if (external.source == kNobody) return;
    external.next = next_after(read.key, list.size(), external.source);
    add_read(node, external);
  }

  /// Every element must have a writer that took effect, once; the list must agree with the longest.
  void check_elements(const Step& read, TransactionId reader, std::span<const ValueId> list) {
    const std::span<const ValueId> longest = elements(longest_[read.key]);
    const bool agrees =
        list.size() <= longest.size() && std::equal(list.begin(), list.end(), longest.begin());
    if (!agrees) note(ReadAnomaly::incompatible_order, reader, longest_reader_[read.key], read.key);
    // A beginning of the longest has no fault that the longest has not.
    if (agrees && list.data() != longest.data()) return;
    std::vector<ValueId> sorted(list.begin(), list.end());
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      note(ReadAnomaly::repeated_element, reader, reader, read.key);
    for (const ValueId element : list) {
      const Writer* from = writer(read.key, element);
      if (from == nullptr) note(ReadAnomaly::thin_air, reader, reader, read.key);
      else if (history_.transactions[from->transaction].outcome == Outcome::fail)
        note(ReadAnomaly::aborted_read, reader, from->transaction, read.key);
    }
  }

  /// Who appended next, by the longest list.
  TNode next_after(KeyId key, std::size_t length, TNode source) const {
    const std::span<const ValueId> longest = elements(longest_[key]);
    for (std::size_t i = length; i < longest.size(); ++i) {
      const Writer* from = writer(key, longest[i]);
      const TNode node = from == nullptr ? kNobody : node_of_[from->transaction];
      if (node != kNobody && node != source) return node;
    }
    return kInitialNode;
  }

  void add_read(TNode node, const ExternalRead& read) {
    const bool first = found_.reads_.size() == found_.read_first_[node];
    const bool again = !first && found_.reads_.back().key == read.key &&
                       found_.reads_.back().source == read.source;
    if (!again) found_.reads_.push_back(read);
  }

  void add_unseen_appends() {
    tsl::robin_map<std::uint64_t, bool, MixHash> in_order;
    for (const auto& [key, order] : found_.lists_) {
      for (const TNode node : order.nodes) in_order[code(key, node)] = true;
    }
    for (TNode node = 1; node < found_.size(); ++node) {
      for (const KeyId key : found_.updates(node)) {
        if (history_.is_list[key] && !in_order.contains(code(key, node)))
          found_.lists_[key].nodes.push_back(node);
      }
    }
  }

  const TransactionHistory& history_;
  Dependencies found_;
  tsl::robin_map<std::uint64_t, Writer, MixHash> writers_;
  std::vector<TNode> node_of_;
  std::vector<ElementRange> longest_;          // per key
  std::vector<TransactionId> longest_reader_;  // per key
};

std::optional<Dependencies> Dependencies::of(const TransactionHistory& history, std::string& why) {
  return DependencyFinder(history).find(why);
}

}  // namespace consistory
