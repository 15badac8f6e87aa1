#include "checkers/models/value_search.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <unordered_set>

namespace consistory {
namespace {

constexpr std::size_t kMemoBytesMax = std::size_t{512} << 20;

/// A state that a key can be in and that somebody reads or some update makes; of a list, a prefix
/// of what is read. Numbered over all keys.
using State = std::uint32_t;
constexpr State kUnread = std::numeric_limits<State>::max();  ///< what no read can be waiting for

struct Step {
  OperationId id = 0;
  KeyId key = 0;
  bool reads = false;  ///< runs only in `wanted` (or, of a blind mismatch, outside it)
  bool updates = false;
  bool blind = false;
  bool info = false;
  State wanted = kUnread;
  State made = kUnread;        ///< of a register update
  ValueId element = kNil;      ///< of an append
  std::uint32_t lane = 0;      ///< its session
  std::uint32_t position = 0;  ///< how many completed operations of the session come before
  std::int64_t invoke = 0;
  std::int64_t complete = kNever;
};

/// Names the states of all keys, and gives each operation the ones it needs and makes.
class States {
 public:
  States(const History& history, const std::vector<OperationId>& operations) : history_(history) {
    for (KeyId key = 0; key < history.keys.size(); ++key) initial_.push_back(named(key, kNil));
    for (const OperationId id : operations) note(id);
  }

  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<State>& initial() const { return initial_; }
  std::size_t size() const { return next_; }
  std::uint32_t lanes() const { return static_cast<std::uint32_t>(history_.sessions.size()); }

  /// The list one element longer; kUnread if no read shows it.
  State longer(State list, ValueId element) const {
    const auto found = longer_.find({list, element});
    return found == longer_.end() ? kUnread : found->second;
  }

 private:
  State named(KeyId key, ValueId value) {
    const auto [place, fresh] = registers_.try_emplace({key, value}, next_);
    if (fresh) ++next_;
    return place->second;
  }

  State of_list(KeyId key, std::span<const ValueId> elements) {
    State state = initial_[key];
    for (const ValueId element : elements) {
      const auto [place, fresh] = longer_.try_emplace({state, element}, next_);
      if (fresh) ++next_;
      state = place->second;
    }
    return state;
  }

  void note(OperationId id) {
    const Operation& operation = history_.operations[id];
    if (operation.outcome == Outcome::fail) return;
    if (operation.is_info() && !operation.updates()) return;
    Step step{.id = id, .key = operation.key, .lane = operation.session};
    step.invoke = operation.invoke;
    step.complete = operation.complete;
    step.reads = operation.reads();
    step.updates = operation.updates();
    step.info = operation.is_info();
    positions_.resize(std::max<std::size_t>(positions_.size(), operation.session + 1));
    step.position = positions_[operation.session];
    if (!step.info) ++positions_[operation.session];
    if (step.reads) step.wanted = wanted(operation);
    step.blind = operation.function == Function::cas && !step.updates && !operation.has_seen();
    if (operation.function == Function::append) step.element = operation.value;
    else if (operation.function == Function::remove) step.made = named(operation.key, kNil);
    else if (step.updates) step.made = named(operation.key, operation.value);
    steps_.push_back(step);
  }

  State wanted(const Operation& operation) {
    if (operation.function == Function::cas) {
      const bool saw = !operation.updates() && operation.has_seen();
      return named(operation.key, saw ? operation.seen : operation.expected);
    }
    return history_.is_list[operation.key] ? of_list(operation.key, history_.elements_of(operation))
                                           : named(operation.key, operation.value);
  }

  const History& history_;
  State next_ = 0;
  std::vector<State> initial_;
  std::map<std::pair<KeyId, ValueId>, State> registers_;
  std::map<std::pair<State, ValueId>, State> longer_;
  std::vector<std::uint32_t> positions_;
  std::vector<Step> steps_;
};

class Search {
 public:
  Search(States states, bool real_time, Budget& budget)
      : states_(std::move(states)),
        real_time_(real_time),
        steps_(states_.steps()),
        budget_(budget),
        lanes_(states_.lanes()),
        cursor_(lanes_.size(), 0),
        current_(states_.initial()),
        readers_(states_.size(), 0),
        may_read_(states_.size(), 0),
        makers_(states_.size(), 0),
        blind_(current_.size(), 0),
        key_readers_(current_.size(), 0) {
    for (std::uint32_t index = 0; index < steps_.size(); ++index) {
      const Step& step = steps_[index];
      (step.info ? infos_ : lanes_[step.lane]).push_back(index);
      left_ += step.info ? 0 : 1;
      count(step, 1);
    }
    placed_.assign(infos_.size(), false);
  }

  Answer run() {
    run_greedily();
    if (left_ == 0) return Answer::yes;
    stack_.push_back({choices(), 0, trail_.size()});
    while (!stack_.empty()) {
      if (!budget_.spend(1 + lanes_.size() / 8) || memo_bytes_ > kMemoBytesMax) return Answer::open;
      Frame& frame = stack_.back();
      undo_to(frame.trail);
      if (frame.next == frame.choices.size()) {
        stack_.pop_back();
        continue;
      }
      execute(frame.choices[frame.next++]);
      run_greedily();
      if (left_ == 0) return Answer::yes;
      if (is_dead() || !remember()) continue;
      stack_.push_back({choices(), 0, trail_.size()});
    }
    return Answer::no;
  }

 private:
  struct Frame {
    std::vector<std::uint32_t> choices;
    std::size_t next = 0;
    std::size_t trail = 0;
  };
  struct Placed {
    std::uint32_t step;
    State before;
  };

  void count(const Step& step, std::int32_t by) {
    if (step.blind) blind_[step.key] += by;
    else if (step.reads && step.info) may_read_[step.wanted] += by;
    else if (step.reads) readers_[step.wanted] += by;
    if (step.reads && !step.info) key_readers_[step.key] += by;
    if (step.made != kUnread) makers_[step.made] += by;
  }

  bool is_list_update(const Step& step) const { return step.updates && step.made == kUnread; }

  State after(const Step& step) const {
    if (!is_list_update(step)) return step.made;
    const State now = current_[step.key];
    return now == kUnread ? kUnread : states_.longer(now, step.element);
  }

  bool fits(const Step& step) const {
    if (real_time_ && !is_its_time(step)) return false;
    return !step.reads || (current_[step.key] == step.wanted) != step.blind;
  }

  /// Has all run that completed before it was invoked?
  bool is_its_time(const Step& step) const {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      const bool done = cursor_[lane] == lanes_[lane].size();
      if (!done && steps_[lanes_[lane][cursor_[lane]]].complete < step.invoke) return false;
    }
    return true;
  }

  bool is_of_use(State state) const {
    return state != kUnread && readers_[state] + may_read_[state] > 0;
  }

  /// Would this update take away a state that is still to be read, for good?
  bool destroys(const Step& step) const {
    const State now = current_[step.key];
    if (now == kUnread || now == after(step)) return false;
    const std::int32_t own = step.reads && !step.info ? 1 : 0;
    return readers_[now] > own && (is_list_update(step) || makers_[now] == 0);
  }

  /// An update that nobody reads, over a state that nobody reads any more, changes nothing.
  bool changes_nothing(const Step& step) const {
    return !step.reads && !step.info && !is_list_update(step) && blind_[step.key] == 0 &&
           !is_of_use(step.made) && !is_of_use(current_[step.key]);
  }

  void execute(std::uint32_t index) {
    const Step& step = steps_[index];
    trail_.push_back({index, current_[step.key]});
    const State next = step.updates ? after(step) : current_[step.key];
    count(step, -1);
    current_[step.key] = next;
    if (step.info) placed_[place_of(index)] = true;
    else {
      ++cursor_[step.lane];
      --left_;
    }
  }

  void undo_to(std::size_t size) {
    while (trail_.size() > size) {
      const auto [index, before] = trail_.back();
      trail_.pop_back();
      const Step& step = steps_[index];
      current_[step.key] = before;
      count(step, 1);
      if (step.info) placed_[place_of(index)] = false;
      else {
        --cursor_[step.lane];
        ++left_;
      }
    }
  }

  std::size_t place_of(std::uint32_t info) const {
    return static_cast<std::size_t>(std::lower_bound(infos_.begin(), infos_.end(), info) -
                                    infos_.begin());
  }

  void run_greedily() {
    for (bool again = true; again;) {
      again = false;
      for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        while (cursor_[lane] < lanes_[lane].size()) {
          const Step& step = steps_[lanes_[lane][cursor_[lane]]];
          if ((step.updates && !changes_nothing(step)) || !fits(step)) break;
          execute(lanes_[lane][cursor_[lane]]);
          again = true;
        }
      }
    }
  }

  /// A list that no remaining read can be an extension of.
  bool is_dead() const {
    for (KeyId key = 0; key < current_.size(); ++key) {
      if (current_[key] == kUnread && key_readers_[key] > 0) return true;
    }
    return false;
  }

  std::vector<std::uint32_t> choices() const {
    std::vector<std::uint32_t> found;
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (cursor_[lane] < lanes_[lane].size()) consider(lanes_[lane][cursor_[lane]], found);
    }
    for (std::size_t i = 0; i < infos_.size(); ++i) {
      const Step& step = steps_[infos_[i]];
      if (!placed_[i] && cursor_[step.lane] >= step.position) consider(infos_[i], found);
    }
    std::stable_sort(found.begin(), found.end(), [&](std::uint32_t a, std::uint32_t b) {
      const bool wanted_a = is_awaited(a);
      const bool wanted_b = is_awaited(b);
      return wanted_a != wanted_b ? wanted_a : a < b;
    });
    return found;
  }

  void consider(std::uint32_t index, std::vector<std::uint32_t>& found) const {
    const Step& step = steps_[index];
    if (!step.updates || !fits(step) || destroys(step)) return;
    const bool twin = step.info && std::any_of(found.begin(), found.end(), [&](auto other) {
                        const Step& before = steps_[other];
                        return before.info && before.key == step.key && before.made == step.made &&
                               before.element == step.element && before.reads == step.reads &&
                               before.wanted == step.wanted;
                      });
    if (!twin) found.push_back(index);
  }

  /// Does some session wait right now for what this update makes?
  bool is_awaited(std::uint32_t index) const {
    const State made = after(steps_[index]);
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (cursor_[lane] == lanes_[lane].size()) continue;
      const Step& head = steps_[lanes_[lane][cursor_[lane]]];
      if (head.reads && !head.blind && head.wanted == made) return true;
    }
    return false;
  }

  /// False if the search was here before.
  bool remember() {
    std::u32string code(cursor_.begin(), cursor_.end());
    code.append(current_.begin(), current_.end());
    for (std::size_t i = 0; i < infos_.size(); ++i) {
      if (placed_[i]) code.push_back(static_cast<char32_t>(i));
    }
    memo_bytes_ += code.size() * sizeof(char32_t) + 64;
    return seen_.insert(std::move(code)).second;
  }

  States states_;
  bool real_time_;
  const std::vector<Step>& steps_;
  Budget& budget_;
  std::vector<std::vector<std::uint32_t>> lanes_;  // per session: its completed steps
  std::vector<std::uint32_t> infos_;               // indeterminate updates, each a lane of its own
  std::vector<std::uint32_t> cursor_;
  std::vector<bool> placed_;               // per indeterminate update
  std::vector<State> current_;             // per key
  std::vector<std::int32_t> readers_;      // per state: reads of it still to run
  std::vector<std::int32_t> may_read_;     // per state: indeterminate cas that may read it
  std::vector<std::int32_t> makers_;       // per state: updates to it still to run
  std::vector<std::int32_t> blind_;        // per key: blind mismatches still to run
  std::vector<std::int32_t> key_readers_;  // per key: reads still to run
  std::size_t left_ = 0;                   // completed steps still to run
  std::vector<Placed> trail_;
  std::vector<Frame> stack_;
  std::unordered_set<std::u32string> seen_;
  std::size_t memo_bytes_ = 0;
};

}  // namespace

Answer order_values(const History& history, const std::vector<OperationId>& operations,
                    bool real_time, Budget& budget) {
  return Search(States(history, operations), real_time, budget).run();
}

}  // namespace consistory
