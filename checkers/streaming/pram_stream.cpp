#include "checkers/streaming/pram_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace consistory {
PramStream::PramStream(std::size_t sessions) : sessions_(sessions) {
  for (Session& session : sessions_) session.come.assign(sessions, 0);
}

void PramStream::refute(const StreamOperation& read, const char* what) {
  verdict_ = {Verdict::violated,
              fmt::format("session {} read of key {} {}", read.session, read.key, what)};
}

void PramStream::leave_open(const char* why) { verdict_ = {Verdict::inconclusive, why}; }

void PramStream::begin(const StreamOperation& update) {
  if (update.session >= sessions_.size()) return leave_open("a session that was not announced");
  if (update.function != Function::write || !update.value)
    return leave_open("an update that is no write of a value");
  if (unknown_.contains(*update.value))
    return leave_open("a value was read before its write was invoked");
  if (!open()) return;
  const Source source{State::open, update.key, update.session};
  if (!values_.try_emplace(*update.value, source).second) leave_open("two updates wrote one value");
}

void PramStream::complete(const StreamOperation& operation) {
  if (operation.session >= sessions_.size()) return leave_open("a session that was not announced");
  if (!open()) return;
  if (sessions_[operation.session].retired) return leave_open("a session that had retired");
  const bool reads = operation.function == Function::read;
  if (operation.outcome == Outcome::fail) {
    if (operation.value && !reads) values_.erase(*operation.value);
    return drain();
  }
  if (reads && operation.outcome == Outcome::info) return;
  if (!reads) number(operation);
  Session& session = sessions_[operation.session];
  session.waiting.push_back(operation);
  if (advance(session) || !reads) drain();
}

/// What an update is told of it at once, whatever its own session waits for: its place among the
/// session's updates.
void PramStream::number(const StreamOperation& update) {
  Session& session = sessions_[update.session];
  Source& source = values_[*update.value];
  source.key = update.key;
  source.session = update.session;
  source.number = session.written;
  source.state = State::indeterminate;
  if (update.outcome == Outcome::info) return;
  source.state = State::complete;
  source.number = ++session.written;
  session.updates.push_back({update.key, *update.value});
}

void PramStream::retire(SessionId session) {
  if (session < sessions_.size()) sessions_[session].retired = true;
}

void PramStream::drain() {
  for (bool moved = true; moved && open();) {
    moved = false;
    for (Session& session : sessions_) {
      if (!session.waiting.empty() && advance(session)) moved = true;
    }
  }
}

bool PramStream::advance(Session& session) {
  bool moved = false;
  while (open() && !session.waiting.empty() && look_at(session, session.waiting.front())) {
    session.waiting.pop_front();
    session.copy.next_slot();
    moved = true;
  }
  if (moved && until_forgetting_-- == 0) forget();
  return moved;
}

/// False if it has to wait.
bool PramStream::look_at(Session& session, const StreamOperation& operation) {
  if (operation.function == Function::read) return look_at_read(session, operation);
  look_at_update(session, operation);
  return true;
}

/// It comes to the session's own copy as it is done; an indeterminate one when somebody sees it.
void PramStream::look_at_update(Session& session, const StreamOperation& update) {
  const auto found = values_.find(*update.value);
  CONSISTORY_CHECK(found != values_.end(), "an update that its own session has not done");
  Source& source = found.value();
  source.earliest = session.copy.slot();
  source.done = true;
  if (update.outcome == Outcome::info) return;
  session.copy.come(
      {*update.value, update.key, update.session, source.number, false, source.earliest});
  session.come[update.session] = source.number;
}

bool PramStream::look_at_read(Session& session, const StreamOperation& read) {
  if (read.value) {
    const auto source = values_.find(*read.value);
    if (source == values_.end() || source->second.key != read.key) {
      if (source == values_.end()) unknown_.insert(*read.value);
      refute(read, "what nobody wrote, or what had been overwritten at every copy");
      return true;
    }
    if (source->second.session == read.session && !source->second.done) {
      refute(read, "what it wrote itself only later");
      return true;
    }
    if (source->second.state == State::open) return false;
    bring(session, source->second, *read.value);
  }
  const Answer answer = session.copy.read(read.key, read.value);
  if (answer == Answer::no) refute(read, "what its earlier reads show to be overwritten");
  if (answer == Answer::open) leave_open("a read reaches back too far");
  return true;
}

/// With all that its session did before it, unless it has come.
void PramStream::bring(Session& session, const Source& source, std::int64_t value) {
  const Session& from = sessions_[source.session];
  Count& come = session.come[source.session];
  while (come < source.number) {
    const Written& update = from.updates[come - from.forgotten];
    session.copy.come({update.value, update.key, source.session, ++come, false, 0});
  }
  if (source.state != State::indeterminate || !session.infos.insert(value).second) return;
  const bool own = &from == &session;
  session.copy.come(
      {value, source.key, source.session, source.number, true, own ? source.earliest : 0});
}

/// What has come to every copy is not brought again; its value is no longer looked for once a later
/// update of the same session and key has come everywhere too. Takes O(sessions²), so not every
/// time.
void PramStream::forget() {
  until_forgetting_ = sessions_.size();
  for (SessionId of = 0; of < sessions_.size(); ++of) {
    Session& from = sessions_[of];
    Count everywhere = from.written;
    for (const Session& session : sessions_) {
      if (!session.retired || !session.waiting.empty())
        everywhere = std::min(everywhere, session.come[of]);
    }
    for (; from.forgotten < everywhere; ++from.forgotten) {
      const Written update = from.updates.front();
      from.updates.pop_front();
      const auto [last, fresh] = from.last_everywhere.try_emplace(update.key, update.value);
      if (fresh) continue;
      values_.erase(last->second);
      last->second = update.value;
    }
  }
}

void PramStream::finish() {
  const bool waits = std::any_of(sessions_.begin(), sessions_.end(),
                                 [](const Session& session) { return !session.waiting.empty(); });
  if (open() && waits) leave_open("the write of a value that was read has not ended");
}

}  // namespace consistory
