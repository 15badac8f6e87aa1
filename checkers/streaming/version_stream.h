#pragma once
// The session guarantees as streams, where every operation tells a version (MODELS §3.6).
//
// Monotonic reads and read your writes are local: the versions that a session reads of a key never
// drop below what it read, or wrote, before. Monotonic writes and writes follow reads are not: the
// order of versions and what the guarantee demands, over all keys, must have no circle. Of that
// order the last few thousand updates are kept; an update that turns out to be older than what was
// dropped leaves the guarantee open.
//
// Only reads and writes of registers tell enough; anything else leaves all four open, and so does a
// version that is told of two values. Whether what was read was ever written is for the other
// streams to say.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "checkers/streaming/incremental_order.h"
#include "checkers/streaming/streaming_checker.h"

namespace consistory {

/// The versions of all keys in one order, and what must come before what beside.
class VersionOrder {
 public:
  using Node = IncrementalOrder::Node;
  using Version = std::int64_t;

  enum class State : std::uint8_t { ordered, circle, open };

  /// The update of that version, known or not yet. Once the order is refuted or open, no more is
  /// added to it, and nodes mean nothing.
  Node update(KeyId key, Version version);
  Node add() { return state_ == State::ordered ? order_.add() : 0; }
  void require(Node before, Node after);
  State state() const { return state_; }

 private:
  struct OfKey {
    std::map<Version, Node> known;
    Version dropped = 0;  // the highest of those that are no longer known
  };
  void drop_the_first();

  IncrementalOrder order_;
  std::map<KeyId, OfKey> keys_;
  std::map<Node, std::pair<KeyId, Version>> names_;
  State state_ = State::ordered;
};

class VersionStream {
 public:
  void complete(const StreamOperation& operation);
  const StreamingVerdict& verdict(StreamingModel guarantee) const;

 private:
  static constexpr std::size_t kReads = 0, kOwnWrites = 1, kWrites = 2, kFollow = 3;
  struct Known {
    std::int64_t read = INT64_MIN;
    std::int64_t written = INT64_MIN;
  };

  bool is_of_one_value(const StreamOperation& operation, std::int64_t version);
  void read(const StreamOperation& read, std::int64_t version);
  void update(const StreamOperation& update, std::int64_t version);
  void refute(std::size_t which, std::string why);
  void leave_open(const char* why);
  void look_at(std::size_t which, const VersionOrder& order, const StreamOperation& operation);

  std::map<std::pair<SessionId, KeyId>, Known> known_;
  std::map<std::pair<KeyId, std::int64_t>, std::int64_t> values_;  // of the versions told last
  std::deque<std::pair<KeyId, std::int64_t>> told_;
  VersionOrder writes_, follow_;
  std::map<SessionId, VersionOrder::Node> last_write_, reads_so_far_;
  std::array<StreamingVerdict, 4> verdicts_;
};

}  // namespace consistory
