#pragma once
// Judges a history while it happens, in memory that does not grow with its length: weak causal
// consistency, PRAM and convergence of registers with unique values, and, where the store tells
// versions, the four session guarantees. Verdicts are those of the offline checkers; what
// these can decide and a stream cannot is inconclusive, with the reason.
//
// Weak causal consistency asks nothing of real time, so an operation is looked at once what it read
// is complete, and waits until then; what then is the causal past never changes (MODELS §3.3). An
// update is forgotten once every session has seen a later one of the same session and key: whoever
// still reads it breaks the model. So memory is bounded by what some session has not yet seen. A
// session that does nothing holds everything back: retire it.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkers/history/operation.h"
#include "checkers/models/verdict.h"

namespace consistory {

enum class StreamingModel : std::uint8_t {
  weak_causal,
  pram,
  monotonic_reads,
  monotonic_writes,
  read_your_writes,
  writes_follow_reads,
  convergence,
};
constexpr std::size_t kStreamingModels = 7;
/// The model's name in the registry.
std::string_view name_of(StreamingModel model);

/// One operation on a register. Numbers for names: any, as long as different names differ.
struct StreamOperation {
  SessionId session = 0;
  KeyId key = 0;
  NodeId node = kNoNode;
  Function function = Function::read;
  Outcome outcome = Outcome::ok;
  std::optional<std::int64_t> value;  ///< none: the initial value; a write has one of its own
  std::optional<std::int64_t> version;
  bool final = false;
};

struct StreamingVerdict {
  Verdict verdict = Verdict::holds;  ///< of what was told so far
  std::string why;                   ///< what refutes it, or leaves it open
};

class WeakCausalStream;
class PramStream;
class VersionStream;
class FinalStream;

/// Not thread-safe. Each session's operations come in its order; those of different sessions in any
/// order, but for the invocation of an update, which comes before whatever read it completes.
class StreamingChecker {
 public:
  /// Sessions are 0 to `sessions` - 1, replicas the nodes 0 to `replicas` - 1. A session that were
  /// to come later would have seen nothing, and so could forbid to forget anything: final reads by
  /// others count for convergence alone, and whatever else they do leaves weak causal and PRAM
  /// open.
  StreamingChecker(std::size_t sessions, std::size_t replicas);
  ~StreamingChecker();
  StreamingChecker(const StreamingChecker&) = delete;
  StreamingChecker& operator=(const StreamingChecker&) = delete;

  /// An update was invoked.
  void begin(const StreamOperation& update);
  /// An operation has completed, or its client has given it up (info). O(sessions), amortised.
  void complete(const StreamOperation& operation);
  /// The session does nothing more.
  void retire(SessionId session);
  /// Nothing more comes: what still waits for its source never gets it. Call once.
  void finish();

  const StreamingVerdict& verdict(StreamingModel model) const;
  /// Updates that are remembered, by the stream that remembers most: what memory depends on.
  std::size_t remembered() const;

 private:
  std::unique_ptr<WeakCausalStream> causal_;
  std::unique_ptr<PramStream> pram_;
  std::unique_ptr<VersionStream> versions_;
  std::unique_ptr<FinalStream> finals_;
};

}  // namespace consistory
