#pragma once
// PRAM as a stream; see streaming_checker.h. It finds who wrote what was read, and brings that
// session's updates to the copy of the one that read it (pram_copy.h).

#include <tsl/robin_map.h>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "base/hash.h"
#include "checkers/streaming/pram_copy.h"
#include "checkers/streaming/streaming_checker.h"

namespace consistory {

class PramStream {
 public:
  explicit PramStream(std::size_t sessions);

  void begin(const StreamOperation& update);
  void complete(const StreamOperation& operation);
  void retire(SessionId session);
  void finish();

  const StreamingVerdict& verdict() const { return verdict_; }
  std::size_t remembered() const { return values_.size(); }

 private:
  using Count = PramCopy::Count;

  enum class State : std::uint8_t { open, complete, indeterminate };
  struct Source {
    State state = State::open;
    KeyId key = 0;
    SessionId session = 0;
    Count number = 0;             // as PramCopy::Update has it
    PramCopy::Slot earliest = 0;  // at the copy of its own session
    bool done = false;            // its own session has come to it
  };
  struct Written {
    KeyId key = 0;
    std::int64_t value = 0;
  };
  struct Session {
    std::deque<Written> updates;                    // that have not come to every copy
    Count forgotten = 0;                            // how many came before those
    std::map<KeyId, std::int64_t> last_everywhere;  // of those, by key
    Count written = 0;
    PramCopy copy;
    std::vector<Count> come;       // per session: how many of its updates have come to the copy
    std::set<std::int64_t> infos;  // indeterminate updates that have come to it
    std::deque<StreamOperation> waiting;
    bool retired = false;
  };

  bool open() const { return verdict_.verdict == Verdict::holds; }
  void refute(const StreamOperation& read, const char* what);
  void leave_open(const char* why);
  void number(const StreamOperation& update);
  void drain();
  bool advance(Session& session);
  bool look_at(Session& session, const StreamOperation& operation);
  bool look_at_read(Session& session, const StreamOperation& read);
  void look_at_update(Session& session, const StreamOperation& update);
  void bring(Session& session, const Source& source, std::int64_t value);
  void forget();

  std::vector<Session> sessions_;
  tsl::robin_map<std::int64_t, Source, NearbyHash> values_;
  std::set<std::int64_t> unknown_;  // values read that nobody had begun to write
  std::size_t until_forgetting_ = 0;
  StreamingVerdict verdict_;
};

}  // namespace consistory
