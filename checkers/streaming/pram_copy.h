#pragma once
// One session's copy, as PRAM imagines it: updates come to it in the order of their sessions, the
// session reads what came last of a key, and its own updates come when they are done.
//
// The copy keeps one schedule that explains all reads so far. Time is counted in slots, one for
// each operation of the session; an update has the latest slot at which it can come. A read of
// something older than the schedule says asks for what followed it to come before it, together with
// what its session did before, and so on until nothing moves (saturation, MODELS §3.4): then the
// schedule is right again, or what must come before itself refutes PRAM. Only what came within the
// session's last few hundred operations moves; what would have to reach back further stays open.

#include <tsl/robin_map.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/hash.h"
#include "checkers/history/operation.h"
#include "checkers/order/serialisation.h"

namespace consistory {

class PramCopy {
 public:
  using Count = std::uint32_t;
  using Slot = std::uint64_t;

  struct Update {
    std::int64_t value = 0;
    KeyId key = 0;
    SessionId session = 0;
    Count number = 0;  ///< of its session's updates; indeterminate: how many come before it
    bool indeterminate = false;
    Slot earliest = 0;  ///< 0, or when the copy's own session began it
  };

  /// The session did an operation: what comes from now on comes later.
  void next_slot();
  Slot slot() const { return slot_; }
  /// Now; after what its session did before it.
  void come(const Update& update);
  /// The session read a value that has come, or the initial one. yes: there is a schedule; no:
  /// there is none; open: it would take something that is settled. O(what moves · log).
  Answer read(KeyId key, std::optional<std::int64_t> value);

 private:
  using Id = std::uint64_t;
  struct Arrival {
    Update update;
    Slot slot = 0;
    Slot read_by = 0;  // the slot after its last read; 0: never
  };
  struct OfKey {
    std::set<std::pair<Slot, Id>> arrivals;
    std::set<Id> read;  // of those
    bool any = false;   // something came, now or long ago
    std::optional<std::int64_t> settled;
    Slot settled_read_by = 0;
    Slot initial_read_by = 0;
  };
  using Place = std::array<std::uint64_t, 3>;  // number, indeterminate, id: in session order

  static Place place_of(Id id, const Arrival& arrival);
  void ask(Id id, Slot slot) { asked_.emplace_back(id, slot); }
  Answer bring_forward();
  Answer move(Id id, Slot slot);
  void ask_for_session(Id id, Slot slot);
  void ask_for_key(Id id, Slot slot);
  std::vector<std::pair<Id, Id>> constraints_in(Slot slot) const;
  std::optional<std::vector<Id>> order_of(Slot slot) const;
  void settle();

  Slot slot_ = 0;
  Slot window_ = 0;  // what came before is settled
  Id next_id_ = 0;
  std::map<Id, Arrival> arrivals_;
  std::map<KeyId, OfKey> keys_;
  std::map<SessionId, std::set<Place>> sessions_;
  std::map<Slot, std::set<Id>> slots_;
  tsl::robin_map<std::int64_t, Id, NearbyHash> ids_;  // by value
  std::vector<std::pair<Id, Slot>> asked_;            // to come no later than that
  std::set<Slot> touched_;
};

}  // namespace consistory
