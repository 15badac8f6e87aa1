#include "checkers/objects/object_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "checkers/models/linearizer.h"

namespace consistory {
namespace {

constexpr std::array<std::pair<ObjectKind, std::string_view>, 7> kKinds = {{
    {ObjectKind::mutex, "mutex"},
    {ObjectKind::semaphore, "semaphore"},
    {ObjectKind::set, "set"},
    {ObjectKind::queue, "queue"},
    {ObjectKind::stack, "stack"},
    {ObjectKind::priority_queue, "priorityqueue"},
    {ObjectKind::string, "string"},
}};

constexpr std::array<std::string_view, 10> kMethods = {
    "acquire", "release", "insert", "remove", "take", "peek", "contains", "put", "append", "get"};

long long number_of(const std::string& text) {
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// What the elements of a container are called: by number, in the order of a priority queue.
class Elements {
 public:
  explicit Elements(const std::vector<const ObjectCall*>& calls) {
    for (const ObjectCall* call : calls) names_.emplace(number_of(call->argument), call->argument);
    std::uint32_t next = 0;
    for (const auto& name : names_) numbers_[name.second] = next++;
  }
  std::uint32_t number(const std::string& name) const { return numbers_.at(name); }

 private:
  std::set<std::pair<long long, std::string>> names_;
  std::map<std::string, std::uint32_t> numbers_;
};

/// One object for the Linearizer.
class AnyObject {
 public:
  using Call = const ObjectCall*;
  /// The elements in a row (of a mutex or a semaphore only their count tells), or the string.
  struct State {
    std::vector<std::uint32_t> elements;
    std::string text;
  };

  /// What completes after `cut` is pending still.
  AnyObject(ObjectKind kind, const std::vector<Call>& calls, std::int64_t cut)
      : kind_(kind), elements_(calls), cut_(cut) {}

  State initial() const { return {}; }
  std::int64_t invoke(Call call) const { return call->invoke; }
  std::int64_t complete(Call call) const { return call->complete > cut_ ? kNever : call->complete; }

  bool changes(Call call) const {
    return call->method != Method::peek && call->method != Method::contains &&
           call->method != Method::get;
  }

  bool fits(Call call, const State& state) const {
    const bool empty = state.elements.empty();
    switch (call->method) {
      case Method::acquire:
        return kind_ == ObjectKind::mutex ? empty : agrees(call, !empty);
      case Method::release:
        return kind_ == ObjectKind::semaphore || !empty;
      case Method::insert:
        return kind_ != ObjectKind::set || agrees(call, !has(state, call));
      case Method::remove:
      case Method::contains:
        return agrees(call, has(state, call));
      case Method::take:
      case Method::peek:
        if (is_pending(call)) return !empty;
        if (call->nothing) return empty;
        return !empty && next_out(state) == elements_.number(call->argument);
      case Method::put:
      case Method::append:
        return true;
      case Method::get:
        return state.text == call->argument;
    }
    return false;
  }

  State next(Call call, State state) const {
    std::vector<std::uint32_t>& elements = state.elements;
    switch (call->method) {
      case Method::acquire:
        if (kind_ == ObjectKind::mutex) elements = {0};
        else if (!elements.empty()) elements.pop_back();
        break;
      case Method::release:
        if (kind_ == ObjectKind::mutex) elements.clear();
        else elements.push_back(0);
        break;
      case Method::insert:
        if (kind_ == ObjectKind::set && has(state, call)) break;
        elements.push_back(elements_.number(call->argument));
        if (kind_ == ObjectKind::set || kind_ == ObjectKind::priority_queue)
          std::sort(elements.begin(), elements.end());
        break;
      case Method::remove:
        std::erase(elements, elements_.number(call->argument));
        break;
      case Method::take:
        if (elements.empty()) break;
        elements.erase(kind_ == ObjectKind::queue ? elements.begin() : elements.end() - 1);
        break;
      case Method::put:
        state.text = call->argument;
        break;
      case Method::append:
        state.text += call->argument;
        break;
      case Method::peek:
      case Method::contains:
      case Method::get:
        break;
    }
    return state;
  }

  bool same(Call a, Call b) const { return a->method == b->method && a->argument == b->argument; }

  /// A string only grows, until it is replaced: the next result must begin with it.
  bool is_lost(const State& state, const std::vector<Call>& waiting, bool all) const {
    if (kind_ != ObjectKind::string) return false;
    Call next = nullptr;
    for (const Call call : waiting) {
      const bool earlier = next == nullptr || complete(call) < complete(next);
      if (call->method == Method::get && earlier) next = call;
    }
    if (next == nullptr || next->argument.starts_with(state.text)) return false;
    // What replaces it may stand where we do not look.
    if (!all && waiting.back()->invoke <= complete(next)) return false;
    return std::none_of(waiting.begin(), waiting.end(), [&](Call call) {
      return call->method == Method::put && call->invoke <= complete(next) &&
             next->argument.starts_with(call->argument);
    });
  }

  std::size_t bytes(const State& state) const {
    return state.elements.capacity() * sizeof(std::uint32_t) + state.text.capacity();
  }

  void code(const State& state, std::u32string& into) const {
    for (const std::uint32_t element : state.elements) into.push_back(element);
    for (const char c : state.text) into.push_back(static_cast<unsigned char>(c));
  }

 private:
  bool is_pending(Call call) const { return complete(call) == kNever; }
  bool agrees(Call call, bool answer) const {
    return is_pending(call) || call->answer.value_or(answer) == answer;
  }
  bool has(const State& state, Call call) const {
    const std::uint32_t element = elements_.number(call->argument);
    return std::find(state.elements.begin(), state.elements.end(), element) != state.elements.end();
  }
  std::uint32_t next_out(const State& state) const {
    return kind_ == ObjectKind::queue ? state.elements.front() : state.elements.back();
  }

  ObjectKind kind_;
  Elements elements_;
  std::int64_t cut_;
};

using Calls = std::vector<const ObjectCall*>;

/// By invocation, up to the cut; reads of unknown outcome say nothing and are left out.
Calls calls_up_to(std::int64_t cut, const Calls& calls, const AnyObject& object) {
  Calls kept = calls;
  std::erase_if(kept, [&](const ObjectCall* call) {
    return call->invoke > cut || (object.complete(call) == kNever && !object.changes(call));
  });
  std::stable_sort(kept.begin(), kept.end(),
                   [](const ObjectCall* a, const ObjectCall* b) { return a->invoke < b->invoke; });
  return kept;
}

Answer linearize(ObjectKind kind, const Calls& calls, std::int64_t cut, Budget& budget) {
  const AnyObject object(kind, calls, cut);
  return Linearizer(object, calls_up_to(cut, calls, object), budget).run();
}

/// The shortest beginning that no order explains, by bisection over the completions: a history is
/// linearizable only if each of its beginnings is.
Calls shortest_beginning(ObjectKind kind, const Calls& calls, Budget& budget) {
  std::vector<std::int64_t> cuts;
  for (const ObjectCall* call : calls) {
    if (call->complete != kNever) cuts.push_back(call->complete);
  }
  std::sort(cuts.begin(), cuts.end());
  std::size_t good = 0;  // so many completions are still explained
  std::size_t bad = cuts.size();
  while (good + 1 < bad) {
    const std::size_t middle = (good + bad) / 2;
    const Answer answer = linearize(kind, calls, cuts[middle - 1], budget);
    if (answer == Answer::open) break;
    (answer == Answer::no ? bad : good) = middle;
  }
  return calls_up_to(cuts[bad - 1], calls, AnyObject(kind, calls, cuts[bad - 1]));
}

ObjectVerdict refuted(const ObjectHistory& history, const Calls& calls, std::uint64_t steps) {
  ObjectVerdict verdict{Verdict::violated, {}, {}};
  Budget budget(steps);
  for (const ObjectCall* call : shortest_beginning(history.kind, calls, budget))
    verdict.witness.push_back(static_cast<std::size_t>(call - history.calls.data()));
  return verdict;
}

}  // namespace

std::string_view name_of(ObjectKind kind) {
  for (const auto& [known, name] : kKinds) {
    if (known == kind) return name;
  }
  return {};
}

std::optional<ObjectKind> object_kind_named(std::string_view name) {
  for (const auto& [kind, known] : kKinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

ObjectVerdict judge_objects(const ObjectHistory& history, std::uint64_t steps) {
  std::map<std::string_view, Calls> open;
  for (const ObjectCall& call : history.calls) open[call.object].push_back(&call);
  // A little for each object first: one that is hard must not hide another that is plainly wrong.
  for (const std::uint64_t share : {std::max<std::uint64_t>(steps / 1000, 1), steps}) {
    for (auto object = open.begin(); object != open.end();) {
      Budget budget(share);
      const Answer answer = linearize(history.kind, object->second, kNever, budget);
      if (answer == Answer::no) return refuted(history, object->second, steps);
      object = answer == Answer::yes ? open.erase(object) : std::next(object);
    }
  }
  if (open.empty()) return {Verdict::holds, {}, {}};
  return {Verdict::inconclusive,
          fmt::format("the search used up its budget of {} steps (--check-steps raises it)", steps),
          {}};
}

std::string describe(const ObjectCall& call) {
  std::string text(kMethods[static_cast<std::size_t>(call.method)]);
  if (!call.argument.empty()) text += " " + call.argument;
  if (call.nothing) text += " nothing";
  if (call.answer) text += *call.answer ? " yes" : " no";
  return fmt::format("{}{} by session {} [{},{}]", text,
                     call.object.empty() ? "" : " on " + call.object, call.session, call.invoke,
                     call.complete == kNever ? "?" : std::to_string(call.complete));
}

}  // namespace consistory
