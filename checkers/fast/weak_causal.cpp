// Weak causal consistency (MODELS §3.3): the bad patterns CyclicCO, WriteCOInitRead and
// WriteCORead, and for lists a causal past other than what was returned, or in another order.
#include "checkers/fast/arbitration.h"
#include "checkers/fast/refutation.h"
#include "checkers/fast/sight.h"

namespace consistory {
namespace {

class WeakCausal {
 public:
  WeakCausal(const Trace& trace, const Visibility& causal)
      : trace_(trace), causal_(causal), last_seen_(trace, causal) {}

  std::vector<Point> refute(KeyId key) {
    const KeySight sight(trace_, key);
    const Oversight missed = first_oversight(trace_, causal_, key, sight);
    if (missed.reader != kNoPoint)
      return explain_sight(trace_, causal_, missed.reader, missed.update);
    if (trace_.is_list(key)) look_at_list_orders(key);
    else look_for_overwritten(key, sight);
    return std::move(seed_);
  }

 private:
  void look_for_overwritten(KeyId key, const KeySight& sight) {
    last_seen_.for_each_winner(trace_.updates_of(key), sight, [&](Point winner) {
      last_seen_.for_each_of_all(winner, sight, [&](Point update, Chain) {
        if (seed_.empty() && causal_.sees(update, winner)) explain(winner, update);
      });
      return seed_.empty();
    });
  }

  /// `winner` precedes `update` in the causal past of some read of `winner`.
  void explain(Point winner, Point update) {
    for (const Point reader : trace_.readers_of(winner)) {
      if (!causal_.sees(reader, update)) continue;
      seed_ = explain_sight(trace_, causal_, reader, update);
      add_sight(update, winner);
      seed_.push_back(reader);
      return;
    }
  }

  void add_sight(Point reader, Point update) {
    const std::vector<Point> why = explain_sight(trace_, causal_, reader, update);
    seed_.insert(seed_.end(), why.begin(), why.end());
  }

  /// No element may causally follow a later one.
  void look_at_list_orders(KeyId key) {
    for (const Point reader : trace_.other_readers_of(key)) {
      look_at_list_order(key, reader);
      if (!seed_.empty()) return;
    }
  }

  void look_at_list_order(KeyId key, Point reader) {
    std::vector<Point> earliest(trace_.chains(), kNoPoint);  // among the later elements
    std::vector<Point> infos;
    const auto elements = trace_.history().elements_of(trace_.operation(reader));
    for (std::size_t i = elements.size(); i-- > 0 && seed_.empty();) {
      const Point append = trace_.append_of(key, elements[i]);
      for (Chain chain = 0; chain < trace_.chains(); ++chain) {
        if (earliest[chain] != kNoPoint && causal_.sees(append, earliest[chain]))
          explain_order(reader, append, earliest[chain]);
      }
      for (const Point info : infos) {
        if (sees_append(append, info)) explain_order(reader, append, info);
      }
      if (trace_.is_info(append)) infos.push_back(append);
      else earliest[trace_.chain(append)] = std::min(earliest[trace_.chain(append)], append);
    }
  }

  /// As Visibility::sees, for an indeterminate append: some list read in the past had it.
  bool sees_append(Point append, Point info) const {
    const KeySight sight(trace_, trace_.key(info));
    return sight.any_seen(causal_, append, [&](Point seen) { return seen == info; });
  }

  void explain_order(Point reader, Point follower, Point append) {
    if (!seed_.empty()) return;
    seed_ = explain_sight(trace_, causal_, follower, append);
    seed_.push_back(reader);
  }

  const Trace& trace_;
  const Visibility& causal_;
  LastSeen last_seen_;
  std::vector<Point> seed_;
};

}  // namespace

Finding decide_weak_causal(const Trace& trace, const Visibility& causal) {
  return first_refuted(trace, trace.keys(), [&](std::size_t key, std::size_t) {
    return WeakCausal(trace, causal).refute(static_cast<KeyId>(key));
  });
}

}  // namespace consistory
