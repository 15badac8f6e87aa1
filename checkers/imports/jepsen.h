#pragma once
// Histories of Jepsen and of the tools around it (Knossos, Elle, elle-cli, Porcupine): one event
// for each invocation and each completion, printed as EDN, as JSON or in Jepsen's log.
//
// An :ok or :fail event completes its process's invocation; after :info, or at the end, the outcome
// is unknown and the process is a new session. Events of the nemesis are left out. The order of
// events is the order of time, as in Knossos.

#include <functional>
#include <optional>

#include "base/clock.h"
#include "checkers/imports/edn.h"

namespace consistory {

struct JepsenEvent {
  std::string process;
  std::string type;      ///< invoke | ok | fail | info
  std::string function;  ///< :f; empty where there is none
  Edn value;
  std::optional<Edn> key;  ///< :key, as Porcupine's histories have it
  Nanos time = 0;
  std::uint32_t line = 0;
};

/// An operation: its invocation, its completion if it has one, and where they stand among the
/// events.
struct JepsenOperation {
  JepsenEvent invoked;
  std::optional<JepsenEvent> completed;  ///< none: unknown outcome
  std::string session;
  std::int64_t invoke = 0;
  std::int64_t complete = 0;

  bool ok() const { return completed && completed->type == "ok"; }
  bool failed() const { return completed && completed->type == "fail"; }
  /// What a completion that took effect says, or the invocation: of :fail and :info the value may
  /// be the reason.
  const Edn& value() const;
};

enum class JepsenNotation : std::uint8_t { edn, json, log };

/// Takes each operation as it completes, those of unknown outcome when that is plain or at the end;
/// an error ends the reading.
using JepsenSink = std::function<std::optional<Error>(const JepsenOperation& operation)>;

/// Errors name the line.
Status read_jepsen(std::string_view content, const std::string& source, JepsenNotation notation,
                   const JepsenSink& sink);

}  // namespace consistory
