#pragma once
// The events of history.jsonl (DESIGN §4.2) as the runner records them and the reader meets them.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "checkers/history/operation.h"
#include "checkers/history/value.h"

namespace consistory {

/// One line about a client operation: its invocation (no outcome) or its completion.
struct ClientEvent {
  Nanos time = 0;  ///< since the run began
  std::string session;
  std::optional<Outcome> outcome;  ///< none: the invocation
  Function function = Function::read;
  std::string key;
  std::string node;
  Value value;
  Value expected;                              ///< cas
  std::optional<std::vector<Value>> elements;  ///< read of a list
  std::optional<Value> seen;
  std::optional<std::int64_t> version;
  bool swapped = true;
  bool final = false;
  bool local = false;
  std::string error;  ///< why it failed or is unknown
};

/// One line about the run itself: a fault's state, or what the runner did.
struct Mark {
  Nanos time = 0;
  std::string actor;   ///< "nemesis" or "runner"
  std::string what;    ///< the fault, or "settled", "phase", …
  std::string state;   ///< requested | confirmed | unconfirmed | healed; empty for the runner
  std::string detail;  ///< JSON text: groups, evidence, …
};

}  // namespace consistory
