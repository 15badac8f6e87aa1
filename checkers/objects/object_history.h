#pragma once
// Histories of objects that are neither registers nor lists: locks, queues, stacks, sets, strings.
// They come from other people's recordings and are judged by linearizability alone.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/operation.h"
#include "checkers/models/verdict.h"

namespace consistory {

enum class ObjectKind : std::uint8_t {
  mutex,
  semaphore,
  set,
  queue,
  stack,
  priority_queue,
  string
};

std::string_view name_of(ObjectKind kind);
std::optional<ObjectKind> object_kind_named(std::string_view name);

/// What a call of any of the objects does. Which go together: see object_history.cpp.
enum class Method : std::uint8_t {
  acquire,   ///< mutex: fits when free; semaphore: takes one, or answers false when there is none
  release,   ///< mutex: fits when held; semaphore: gives one back
  insert,    ///< puts `argument` in; a set answers whether it was new
  remove,    ///< a set: takes `argument` out, answers whether it was there
  take,      ///< the next element, `argument`, or nothing: first in, last in, or greatest
  peek,      ///< the same, and leaves it there
  contains,  ///< a set
  put,       ///< a string: replaces it
  append,    ///< a string
  get,       ///< a string: reads it
};

struct ObjectCall {
  Method method = Method::get;
  std::string session;
  std::string object;          ///< which one, where there are several
  std::string argument;        ///< of take and peek: the result
  std::optional<bool> answer;  ///< where the object answers yes or no
  bool nothing = false;        ///< take and peek found it empty
  std::int64_t invoke = 0;
  std::int64_t complete = kNever;  ///< kNever: outcome unknown
};

struct ObjectHistory {
  ObjectKind kind = ObjectKind::string;
  std::vector<ObjectCall> calls;
};

struct ObjectVerdict {
  Verdict verdict = Verdict::inconclusive;
  std::string why;
  std::vector<std::size_t> witness;  ///< of a violation: indexes of calls that no order explains
};

/// Linearizability, object by object (Herlihy and Wing 1990: it is local). `steps` bounds each
/// search and the shrinking of a witness together.
ObjectVerdict judge_objects(const ObjectHistory& history, std::uint64_t steps);

/// "enqueue 7 by session 3 [4,9]": for people; raw bytes.
std::string describe(const ObjectCall& call);

}  // namespace consistory
