#include "checkers/order/search.h"

#include <set>
#include <unordered_set>

#include "checkers/order/key_past.h"

namespace consistory {
namespace {

constexpr std::size_t kMemoBytesMax = std::size_t{512} << 20;

class Search {
 public:
  Search(const Serialisation& problem, Budget& budget)
      : problem_(problem), resolved_(*problem.resolved), budget_(budget) {
    const Node nodes = problem.order.size();
    waiting_.resize(nodes);
    executed_.assign((nodes + 63) / 64, 0);
    readers_.assign(resolved_.size(), 0);
    pending_.assign(resolved_.history->keys.size(), 0);
    hint_.assign(nodes, INT64_MIN);
    for (Point point = 0; point < resolved_.size(); ++point) hint_[point] = resolved_[point].invoke;
    for (Node node = 0; node < nodes; ++node) prepare(node);
    for (Node node = 0; node < nodes; ++node) {
      if (waiting_[node] == 0) ready_.insert({hint_[node], node});
    }
  }

  Answer run() {
    if (!run_greedily()) return Answer::open;
    std::vector<Frame> stack;
    stack.push_back(open_frame());
    while (executed_count_ < problem_.order.size()) {
      Frame& frame = stack.back();
      if (frame.next < frame.choices.size()) {
        const Node choice = frame.choices[frame.next++];
        execute(choice);
        if (!run_greedily()) return Answer::open;
        if (executed_count_ == problem_.order.size()) break;
        if (!dead_.contains(executed_)) {
          stack.push_back(open_frame());
          continue;
        }
        undo_to(stack.back().log_size);
        continue;
      }
      if (!remember_dead(frame)) return Answer::open;
      stack.pop_back();
      if (stack.empty()) return Answer::no;
      undo_to(stack.back().log_size);
    }
    return Answer::yes;
  }

 private:
  struct Frame {
    std::vector<Node> choices;
    std::size_t next = 0;
    std::size_t log_size = 0;
  };
  struct BitsHash {
    std::size_t operator()(const Bits& bits) const {
      std::size_t hash = 0;
      for (const Word word : bits) hash = (hash ^ word) * 0x9E3779B97F4A7C15U + (hash >> 29);
      return hash;
    }
  };

  bool is_point(Node node) const { return node < resolved_.size() && problem_.included[node]; }
  bool is_validated_register_read(Node node) const {
    return is_point(node) && problem_.validated[node] && !resolved_[node].list;
  }
  bool is_register_update(Node node) const {
    return is_point(node) && resolved_[node].updates && !resolved_[node].list;
  }

  void prepare(Node node) {
    waiting_[node] = static_cast<std::uint32_t>(problem_.order.in(node).size());
    if (!is_validated_register_read(node)) return;
    const ResolvedOperation& reader = resolved_[node];
    if (reader.sources.empty()) {
      ++pending_[reader.key];
      return;
    }
    const Point source = reader.sources[0];
    std::int64_t& hint = hint_[source];  // an update is worth running when its first reader is due
    hint = readers_[source]++ == 0 ? reader.invoke : std::min(hint, reader.invoke);
  }

  /// Readers of the key's current value that still have to run, `node` itself not counted.
  std::uint32_t pending_beside(Node node) const {
    const std::uint32_t self = is_validated_register_read(node) ? 1 : 0;
    return pending_[resolved_[node].key] - self;
  }
  bool blocked(Node node) const { return is_register_update(node) && pending_beside(node) > 0; }
  bool branches(Node node) const { return is_register_update(node) && readers_[node] > 0; }

  void execute(Node node) {
    ready_.erase({hint_[node], node});
    set(executed_, node);
    ++executed_count_;
    log_.push_back(node);
    if (is_validated_register_read(node)) --pending_[resolved_[node].key];
    if (is_register_update(node)) pending_[resolved_[node].key] += readers_[node];
    for (const EdgeId id : problem_.order.out(node)) {
      const Node to = problem_.order.edges()[id].to;
      if (--waiting_[to] == 0) ready_.insert({hint_[to], to});
    }
  }

  void undo_to(std::size_t log_size) {
    while (log_.size() > log_size) {
      const Node node = log_.back();
      log_.pop_back();
      for (const EdgeId id : problem_.order.out(node)) {
        const Node to = problem_.order.edges()[id].to;
        if (waiting_[to]++ == 0) ready_.erase({hint_[to], to});
      }
      if (is_register_update(node)) pending_[resolved_[node].key] -= readers_[node];
      if (is_validated_register_read(node)) ++pending_[resolved_[node].key];
      executed_[node / 64] &= ~(Word{1} << (node % 64));
      --executed_count_;
      ready_.insert({hint_[node], node});
    }
  }

  /// False when the budget is used up.
  bool run_greedily() {
    for (bool progress = true; progress;) {
      progress = false;
      for (auto at = ready_.begin(); at != ready_.end();) {
        const Node node = at->second;
        ++at;
        if (branches(node) || blocked(node)) continue;
        if (!budget_.spend()) return false;
        execute(node);
        progress = true;
      }
    }
    return true;
  }

  Frame open_frame() const {
    Frame frame;
    frame.log_size = log_.size();
    for (const auto& [hint, node] : ready_) {
      if (branches(node) && !blocked(node)) frame.choices.push_back(node);
    }
    return frame;
  }

  /// The frontier of `frame` leads nowhere. False when the memory bound is reached.
  bool remember_dead(const Frame& frame) {
    undo_to(frame.log_size);
    memo_bytes_ += executed_.size() * sizeof(Word) + 64;
    if (memo_bytes_ > kMemoBytesMax || !budget_.spend()) return false;
    dead_.insert(executed_);
    return true;
  }

  const Serialisation& problem_;
  const Resolved& resolved_;
  Budget& budget_;
  std::vector<std::uint32_t> waiting_;  // per node: predecessors not executed
  std::vector<std::uint32_t> readers_;  // per point: validated readers
  std::vector<std::uint32_t> pending_;  // per key: readers of its current value still to run
  std::vector<std::int64_t> hint_;
  std::set<std::pair<std::int64_t, Node>> ready_;
  Bits executed_;
  std::size_t executed_count_ = 0;
  std::vector<Node> log_;
  std::unordered_set<Bits, BitsHash> dead_;
  std::size_t memo_bytes_ = 0;
};

}  // namespace

Answer search(const Serialisation& problem, Budget& budget) {
  return Search(problem, budget).run();
}

}  // namespace consistory
