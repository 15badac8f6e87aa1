#include "checkers/objects/object_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

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

/// One object for the Linearizer. Its state is its elements in a row, or one string, or a count.
class AnyObject {
 public:
  using Call = const ObjectCall*;
  using State = std::vector<std::string>;

  /// What completes after `cut` is pending still.
  AnyObject(ObjectKind kind, std::int64_t cut) : kind_(kind), cut_(cut) {}

  State initial() const { return kind_ == ObjectKind::string ? State{""} : State{}; }
  std::int64_t invoke(Call call) const { return call->invoke; }
  std::int64_t complete(Call call) const { return call->complete > cut_ ? kNever : call->complete; }

  bool changes(Call call) const {
    return call->method != Method::peek && call->method != Method::contains &&
           call->method != Method::get;
  }

  bool fits(Call call, const State& state) const {
    switch (call->method) {
      case Method::acquire:
        if (kind_ == ObjectKind::mutex) return state.empty();
        return agrees(call, !state.empty());
      case Method::release:
        return kind_ == ObjectKind::semaphore || !state.empty();
      case Method::insert:
        return kind_ != ObjectKind::set || agrees(call, !has(state, call->argument));
      case Method::remove:
      case Method::contains:
        return agrees(call, has(state, call->argument));
      case Method::take:
      case Method::peek:
        if (is_pending(call)) return !state.empty();
        if (call->nothing) return state.empty();
        return !state.empty() && next_out(state) == call->argument;
      case Method::put:
      case Method::append:
        return true;
      case Method::get:
        return state.front() == call->argument;
    }
    return false;
  }

  State next(Call call, State state) const {
    switch (call->method) {
      case Method::acquire:
        if (kind_ == ObjectKind::mutex) return {"held"};
        if (!state.empty()) state.pop_back();
        return state;
      case Method::release:
        if (kind_ == ObjectKind::mutex) return {};
        state.emplace_back();
        return state;
      case Method::insert:
        if (kind_ == ObjectKind::set && has(state, call->argument)) return state;
        state.push_back(call->argument);
        if (kind_ != ObjectKind::queue && kind_ != ObjectKind::stack) sort(state);
        return state;
      case Method::remove:
        std::erase(state, call->argument);
        return state;
      case Method::take:
        if (!state.empty())
          state.erase(kind_ == ObjectKind::queue ? state.begin() : state.end() - 1);
        return state;
      case Method::put:
        return {call->argument};
      case Method::append:
        state.front() += call->argument;
        return state;
      case Method::peek:
      case Method::contains:
      case Method::get:
        break;
    }
    return state;
  }

  bool same(Call a, Call b) const { return a->method == b->method && a->argument == b->argument; }

  /// A string only grows, until it is replaced: the next result must begin with it.
  bool is_lost(const State& state, const std::vector<Call>& waiting) const {
    if (kind_ != ObjectKind::string) return false;
    Call next = nullptr;
    for (const Call call : waiting) {
      const bool earlier = next == nullptr || complete(call) < complete(next);
      if (call->method == Method::get && earlier) next = call;
    }
    if (next == nullptr || next->argument.starts_with(state.front())) return false;
    return std::none_of(waiting.begin(), waiting.end(), [&](Call call) {
      return call->method == Method::put && call->invoke <= complete(next) &&
             next->argument.starts_with(call->argument);
    });
  }

  void code(const State& state, std::u32string& into) const {
    for (const std::string& element : state) {
      into.push_back(static_cast<char32_t>(element.size()));
      for (const char c : element) into.push_back(static_cast<unsigned char>(c));
    }
  }

 private:
  bool is_pending(Call call) const { return complete(call) == kNever; }
  bool agrees(Call call, bool answer) const {
    return is_pending(call) || call->answer.value_or(answer) == answer;
  }
  static bool has(const State& state, const std::string& element) {
    return std::find(state.begin(), state.end(), element) != state.end();
  }
  static void sort(State& state) {
    std::sort(state.begin(), state.end(), [](const std::string& a, const std::string& b) {
      return std::pair(number_of(a), a) < std::pair(number_of(b), b);
    });
  }
  const std::string& next_out(const State& state) const {
    return kind_ == ObjectKind::queue ? state.front() : state.back();
  }

  ObjectKind kind_;
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
  const AnyObject object(kind, cut);
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
  return calls_up_to(cuts[bad - 1], calls, AnyObject(kind, cuts[bad - 1]));
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
