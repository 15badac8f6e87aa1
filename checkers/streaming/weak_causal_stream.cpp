#include "checkers/streaming/weak_causal_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace consistory {

void WeakCausalStream::Past::join(const Past& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = std::max(counts[i], other.counts[i]);
  if (other.infos.empty()) return;
  std::vector<InfoId> both;
  std::set_union(infos.begin(), infos.end(), other.infos.begin(), other.infos.end(),
                 std::back_inserter(both));
  infos = std::move(both);
}

bool WeakCausalStream::Past::has_info(InfoId id) const {
  return std::binary_search(infos.begin(), infos.end(), id);
}

WeakCausalStream::WeakCausalStream(std::size_t sessions) : sessions_(sessions), low_(sessions, 0) {
  for (Session& session : sessions_) session.past.counts.assign(sessions, 0);
}

void WeakCausalStream::refute(const StreamOperation& read, std::string_view what) {
  verdict_ = {Verdict::violated,
              fmt::format("session {} read of key {} {}", read.session, read.key, what)};
}

void WeakCausalStream::leave_open(std::string why) {
  verdict_ = {Verdict::inconclusive, std::move(why)};
}

void WeakCausalStream::begin(const StreamOperation& update) {
  if (!is_announced(update.session)) return leave_open("a session that was not announced");
  if (update.function != Function::write || !update.value)
    return leave_open("an update that is no write of a value");
  if (unknown_.contains(*update.value))
    return leave_open("a value was read before its write was invoked");
  if (!open()) return;
  Source source;
  source.key = update.key;
  source.session = update.session;
  if (!values_.try_emplace(*update.value, source).second) leave_open("two updates wrote one value");
}

void WeakCausalStream::complete(const StreamOperation& operation) {
  if (!is_announced(operation.session)) return leave_open("a session that was not announced");
  if (!open()) return;
  if (sessions_[operation.session].retired) return leave_open("a session that had retired");
  if (operation.outcome == Outcome::fail) {
    if (operation.value && operation.function != Function::read) values_.erase(*operation.value);
    return drain();
  }
  if (operation.function == Function::read && operation.outcome == Outcome::info) return;
  sessions_[operation.session].waiting.push_back(operation);
  if (advance(operation.session)) drain();
}

void WeakCausalStream::retire(SessionId session) {
  if (is_announced(session)) sessions_[session].retired = true;
}

/// What one session did may be what others wait for.
void WeakCausalStream::drain() {
  for (bool moved = true; moved && open();) {
    moved = false;
    for (SessionId id = 0; id < sessions_.size(); ++id) {
      if (!sessions_[id].waiting.empty() && advance(id)) moved = true;
    }
  }
}

bool WeakCausalStream::advance(SessionId session) {
  std::deque<StreamOperation>& waiting = sessions_[session].waiting;
  bool moved = false;
  while (open() && !waiting.empty() && look_at(waiting.front())) {
    waiting.pop_front();
    moved = true;
  }
  return moved;
}

/// False if it has to wait.
bool WeakCausalStream::look_at(const StreamOperation& operation) {
  if (operation.function == Function::read) return look_at_read(operation);
  look_at_update(operation);
  return true;
}

bool WeakCausalStream::look_at_read(const StreamOperation& read) {
  Session& session = sessions_[read.session];
  if (!read.value) {
    if (sees_some(session.past, read.key)) refute(read, "the initial value, and knew of an update");
    return true;
  }
  const auto found = values_.find(*read.value);
  if (found == values_.end() || found->second.key != read.key) {
    if (found == values_.end()) unknown_.insert(*read.value);
    refute(read, "what nobody wrote, or what it had to know to be overwritten");
    return true;
  }
  if (found->second.state == State::open) return false;
  const Source source = found->second;
  rest_on(session, source);
  if (is_overwritten(session.past, source)) refute(read, "what it had to know to be overwritten");
  return true;
}

void WeakCausalStream::look_at_update(const StreamOperation& update) {
  Session& session = sessions_[update.session];
  OfKey& key = keys_[update.key];
  Source& source = values_[*update.value];
  source.key = update.key;
  source.session = update.session;
  if (update.outcome == Outcome::info) {
    source.state = State::indeterminate;
    source.info = next_info_++;
    key.infos.push_back({source.info, session.past});
    return;
  }
  source.state = State::complete;
  source.number = ++session.updates;
  key.first.try_emplace(update.session, source.number);
  key.entries[update.session].push_back({*update.value, source.number, session.past});
  session.past.counts[update.session] = source.number;
  if (until_measured_-- == 0) measure_low();
  forget(key, update.session);
}

bool WeakCausalStream::sees_some(const Past& past, KeyId id) const {
  const auto key = keys_.find(id);
  if (key == keys_.end()) return false;
  for (const auto& [session, number] : key->second.first) {
    if (number <= past.counts[session]) return true;
  }
  const std::vector<InfoEntry>& infos = key->second.infos;
  return std::any_of(infos.begin(), infos.end(),
                     [&](const InfoEntry& info) { return past.has_info(info.id); });
}

const WeakCausalStream::Past& WeakCausalStream::past_of(const Source& source) const {
  const OfKey& key = keys_.at(source.key);
  if (source.state == State::indeterminate) {
    return std::find_if(key.infos.begin(), key.infos.end(),
                        [&](const InfoEntry& info) { return info.id == source.info; })
        ->past;
  }
  const std::deque<Entry>& entries = key.entries.at(source.session);
  return std::lower_bound(entries.begin(), entries.end(), source.number,
                          [](const Entry& entry, Count number) { return entry.number < number; })
      ->past;
}

void WeakCausalStream::rest_on(Session& session, const Source& source) {
  session.past.join(past_of(source));
  if (source.state == State::complete) {
    Count& count = session.past.counts[source.session];
    count = std::max(count, source.number);
  } else if (!session.past.has_info(source.info)) {
    std::vector<InfoId>& infos = session.past.infos;
    infos.insert(std::lower_bound(infos.begin(), infos.end(), source.info), source.info);
  }
}

bool WeakCausalStream::contains(const Past& past, const Source& source) {
  if (source.state == State::indeterminate) return past.has_info(source.info);
  return past.counts[source.session] >= source.number;
}

/// Of each session the last update of the key that is in the past: if any followed the source, that
/// one did.
bool WeakCausalStream::is_overwritten(const Past& past, const Source& source) const {
  const OfKey& key = keys_.at(source.key);
  for (const auto& [session, entries] : key.entries) {
    const auto after =
        std::upper_bound(entries.begin(), entries.end(), past.counts[session],
                         [](Count count, const Entry& entry) { return count < entry.number; });
    if (after != entries.begin() && contains(std::prev(after)->past, source)) return true;
  }
  return std::any_of(key.infos.begin(), key.infos.end(), [&](const InfoEntry& info) {
    return past.has_info(info.id) && contains(info.past, source);
  });
}

void WeakCausalStream::forget(OfKey& key, SessionId session) {
  std::deque<Entry>& entries = key.entries[session];
  while (entries.size() > 1 && entries[1].number <= low_[session]) {
    values_.erase(entries.front().value);
    entries.pop_front();
    forgot_some_ = true;
  }
}

/// Takes O(sessions²), so not at every update.
void WeakCausalStream::measure_low() {
  until_measured_ = sessions_.size();
  for (SessionId of = 0; of < low_.size(); ++of) {
    Count least = sessions_[of].updates;
    for (const Session& session : sessions_) {
      if (!session.retired) least = std::min(least, session.past.counts[of]);
    }
    low_[of] = least;
  }
}

void WeakCausalStream::finish() {
  if (!open()) return;
  for (const Session& session : sessions_) {
    if (session.waiting.empty()) continue;
    const StreamOperation& read = session.waiting.front();
    const auto source = values_.find(*read.value);
    const bool lost =
        source != values_.end() && source->second.state == State::open &&
        std::none_of(sessions_.begin(), sessions_.end(), [&](const Session& other) {
          return std::any_of(
              other.waiting.begin(), other.waiting.end(), [&](const StreamOperation& update) {
                return update.function != Function::read && update.value == read.value;
              });
        });
    if (lost) return leave_open("the write of a value that was read has not ended");
    return refute(read, "what rests on that very read");
  }
}

}  // namespace consistory
