#pragma once
// Weak causal consistency as a stream; see streaming_checker.h.

#include <tsl/robin_map.h>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "base/hash.h"
#include "checkers/streaming/streaming_checker.h"

namespace consistory {

class WeakCausalStream {
 public:
  explicit WeakCausalStream(std::size_t sessions);

  void begin(const StreamOperation& update);
  void complete(const StreamOperation& operation);
  void retire(SessionId session);
  void finish();

  bool is_announced(SessionId session) const { return session < sessions_.size(); }
  const StreamingVerdict& verdict() const { return verdict_; }
  std::size_t remembered() const { return values_.size(); }
  /// Was the value written, as far as is remembered?
  bool knows(std::int64_t value) const { return values_.contains(value); }
  bool forgot_some() const { return forgot_some_; }

 private:
  using Count = std::uint32_t;
  using InfoId = std::uint32_t;

  /// A causal past: how many updates of each session, and which indeterminate ones.
  struct Past {
    std::vector<Count> counts;
    std::vector<InfoId> infos;  // ascending
    void join(const Past& other);
    bool has_info(InfoId id) const;
  };
  /// An update that took effect, with what it rests on.
  struct Entry {
    std::int64_t value = 0;
    Count number = 0;  // of its session's updates, from 1
    Past past;
  };
  struct InfoEntry {
    InfoId id = 0;
    Past past;
  };
  struct OfKey {
    std::map<SessionId, std::deque<Entry>> entries;  // by session, ascending
    std::map<SessionId, Count> first;                // the number of its first update ever
    std::vector<InfoEntry> infos;
  };
  enum class State : std::uint8_t { open, complete, indeterminate };
  struct Source {
    State state = State::open;
    KeyId key = 0;
    SessionId session = 0;
    Count number = 0;
    InfoId info = 0;
  };
  struct Session {
    Past past;
    Count updates = 0;
    bool retired = false;
    std::deque<StreamOperation> waiting;
  };

  bool open() const { return verdict_.verdict == Verdict::holds; }
  void refute(const StreamOperation& read, std::string_view what);
  void leave_open(std::string why);
  void drain();
  bool advance(SessionId session);
  bool look_at(const StreamOperation& operation);
  bool look_at_read(const StreamOperation& read);
  void look_at_update(const StreamOperation& update);
  bool sees_some(const Past& past, KeyId key) const;
  bool is_overwritten(const Past& past, const Source& source) const;
  static bool contains(const Past& past, const Source& source);
  void rest_on(Session& session, const Source& source);
  const Past& past_of(const Source& source) const;
  void forget(OfKey& key, SessionId session);
  void measure_low();

  std::vector<Session> sessions_;
  std::map<KeyId, OfKey> keys_;
  tsl::robin_map<std::int64_t, Source, NearbyHash> values_;
  std::set<std::int64_t> unknown_;  // values read that nobody had begun to write
  std::vector<Count> low_;          // per session: how many of its updates every session has seen
  InfoId next_info_ = 0;
  std::size_t until_measured_ = 0;
  bool forgot_some_ = false;
  StreamingVerdict verdict_;
};

}  // namespace consistory
