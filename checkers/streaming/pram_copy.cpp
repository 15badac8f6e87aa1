#include "checkers/streaming/pram_copy.h"

#include <algorithm>

#include "base/check.h"

namespace consistory {
namespace {

constexpr std::uint64_t kWindow = 256;  // operations of the session of which updates may move

}  // namespace

PramCopy::Place PramCopy::place_of(Id id, const Arrival& arrival) {
  return {arrival.update.number, arrival.update.indeterminate ? 1U : 0U, id};
}

void PramCopy::next_slot() {
  ++slot_;
  if (slot_ >= window_ + 2 * kWindow) settle();
}

void PramCopy::come(const Update& update) {
  const Id id = next_id_++;
  const Arrival arrival{update, slot_, 0};
  OfKey& key = keys_[update.key];
  key.arrivals.insert({slot_, id});
  key.any = true;
  sessions_[update.session].insert(place_of(id, arrival));
  slots_[slot_].insert(id);
  ids_[update.value] = id;
  arrivals_.emplace(id, arrival);
}

Answer PramCopy::read(KeyId key_id, std::optional<std::int64_t> value) {
  OfKey& key = keys_[key_id];
  if (!value) {
    key.initial_read_by = slot_ + 1;
    return key.any ? Answer::no : Answer::yes;
  }
  const auto id = ids_.find(*value);
  if (id == ids_.end()) {
    key.settled_read_by = slot_ + 1;
    return key.arrivals.empty() && key.settled == value ? Answer::yes : Answer::open;
  }
  Arrival& source = arrivals_.at(id->second);
  source.read_by = slot_ + 1;
  key.read.insert(id->second);
  touched_.insert(source.slot);
  const auto later = key.arrivals.upper_bound({source.slot, UINT64_MAX});
  for (auto other = later; other != key.arrivals.end(); ++other) ask(other->second, source.slot);
  return bring_forward();
}

/// All that was asked for, and what that asks for.
Answer PramCopy::bring_forward() {
  while (!asked_.empty()) {
    const auto [id, slot] = asked_.back();
    asked_.pop_back();
    if (const Answer moved = move(id, slot); moved != Answer::yes) return moved;
  }
  for (const Slot slot : touched_) {
    if (slots_[slot].size() > 1 && !order_of(slot)) return Answer::no;
  }
  touched_.clear();
  return Answer::yes;
}

Answer PramCopy::move(Id id, Slot slot) {
  Arrival& arrival = arrivals_.at(id);
  if (arrival.slot <= slot) return Answer::yes;
  OfKey& key = keys_.at(arrival.update.key);
  if (slot < arrival.update.earliest || slot < key.initial_read_by) return Answer::no;
  if (slot < key.settled_read_by) return Answer::open;
  key.arrivals.erase({arrival.slot, id});
  key.arrivals.insert({slot, id});
  slots_[arrival.slot].erase(id);
  if (slots_[arrival.slot].empty()) slots_.erase(arrival.slot);
  slots_[slot].insert(id);
  touched_.insert(slot);
  arrival.slot = slot;
  ask_for_session(id, slot);
  ask_for_key(id, slot);
  return Answer::yes;
}

/// What its session did before comes no later. Slots ascend along a session, but for those of
/// indeterminate updates, which nothing follows.
void PramCopy::ask_for_session(Id id, Slot slot) {
  const Arrival& moved = arrivals_.at(id);
  const std::set<Place>& places = sessions_.at(moved.update.session);
  for (auto at = places.find(place_of(id, moved)); at != places.begin();) {
    const Id earlier = (--at)->back();
    const Arrival& arrival = arrivals_.at(earlier);
    if (arrival.update.indeterminate) continue;
    if (arrival.slot <= slot) return;
    ask(earlier, slot);
  }
}

/// What was read while it was there already came after it; and if it was read itself, all that had
/// come by then came before it.
void PramCopy::ask_for_key(Id id, Slot slot) {
  const Arrival& moved = arrivals_.at(id);
  const OfKey& key = keys_.at(moved.update.key);
  for (const Id other : key.read) {
    const Arrival& source = arrivals_.at(other);
    if (other != id && source.read_by > slot && source.slot < slot) ask(id, source.slot);
  }
  const auto later = key.arrivals.upper_bound({slot, UINT64_MAX});
  for (auto other = later; other != key.arrivals.end() && other->first < moved.read_by; ++other)
    ask(other->second, slot);
}

/// In the same slot: what a session did before comes first, and what was read comes last of its
/// key.
std::vector<std::pair<PramCopy::Id, PramCopy::Id>> PramCopy::constraints_in(Slot slot) const {
  std::vector<std::pair<Id, Id>> before;
  std::map<SessionId, std::set<Place>> sessions;
  std::map<KeyId, std::vector<Id>> keys;
  for (const Id id : slots_.at(slot)) {
    const Arrival& arrival = arrivals_.at(id);
    sessions[arrival.update.session].insert(place_of(id, arrival));
    keys[arrival.update.key].push_back(id);
  }
  for (const auto& [session, places] : sessions) {
    std::optional<Id> last;  // of those that something follows
    for (const Place& place : places) {
      if (last) before.emplace_back(*last, place.back());
      if (!arrivals_.at(place.back()).update.indeterminate) last = place.back();
    }
  }
  for (const auto& [key, members] : keys) {
    for (const Id source : members) {
      if (arrivals_.at(source).read_by == 0) continue;
      for (const Id other : members) {
        if (other != source) before.emplace_back(other, source);
      }
    }
  }
  return before;
}

/// Nothing if something would have to come before itself (Kahn 1962).
std::optional<std::vector<PramCopy::Id>> PramCopy::order_of(Slot slot) const {
  std::map<Id, std::size_t> missing;
  std::multimap<Id, Id> after;
  for (const auto& [first, second] : constraints_in(slot)) {
    after.emplace(first, second);
    ++missing[second];
  }
  std::vector<Id> order;
  for (const Id id : slots_.at(slot)) {
    if (!missing.contains(id)) order.push_back(id);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    const auto [begin, end] = after.equal_range(order[next]);
    for (auto follower = begin; follower != end; ++follower) {
      if (--missing[follower->second] == 0) order.push_back(follower->second);
    }
  }
  if (order.size() < slots_.at(slot).size()) return std::nullopt;
  return order;
}

/// What came long ago moves no more.
void PramCopy::settle() {
  window_ = slot_ - kWindow;
  while (!slots_.empty() && slots_.begin()->first < window_) {
    const Slot slot = slots_.begin()->first;
    const std::optional<std::vector<Id>> order = order_of(slot);
    CONSISTORY_CHECK(order, "a schedule without an order");
    for (const Id id : *order) {
      const Arrival& arrival = arrivals_.at(id);
      OfKey& key = keys_.at(arrival.update.key);
      key.settled = arrival.update.value;
      key.settled_read_by = std::max(key.settled_read_by, arrival.read_by);
      key.arrivals.erase({slot, id});
      key.read.erase(id);
      sessions_.at(arrival.update.session).erase(place_of(id, arrival));
      ids_.erase(arrival.update.value);
      arrivals_.erase(id);
    }
    slots_.erase(slot);
  }
}

}  // namespace consistory
