#include "checkers/streaming/version_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace consistory {
namespace {

constexpr std::size_t kUpdatesKept = 4'096;

}  // namespace

VersionOrder::Node VersionOrder::update(KeyId key_id, Version version) {
  if (state_ != State::ordered) return 0;
  OfKey& key = keys_[key_id];
  const auto [entry, fresh] = key.known.try_emplace(version, 0);
  if (!fresh) return entry->second;
  const Node node = entry->second = order_.add();
  names_[node] = {key_id, version};
  if (version <= key.dropped && state_ == State::ordered) state_ = State::open;
  if (entry != key.known.begin()) require(std::prev(entry)->second, node);
  if (std::next(entry) != key.known.end()) require(node, std::next(entry)->second);
  drop_the_first();
  return node;
}

/// One that was dropped had nothing before it, and what would have to come before it is noticed: so
/// it is in no circle.
void VersionOrder::require(Node before, Node after) {
  if (state_ != State::ordered || !order_.contains(before)) return;
  if (!order_.contains(after)) state_ = State::open;
  else if (!order_.add_edge(before, after)) state_ = State::circle;
}

void VersionOrder::drop_the_first() {
  while (order_.size() > kUpdatesKept) {
    const Node node = order_.drop_first();
    const auto name = names_.find(node);
    if (name == names_.end()) continue;
    const auto [key_id, version] = name->second;
    OfKey& key = keys_[key_id];
    key.known.erase(version);
    key.dropped = std::max(key.dropped, version);
    names_.erase(name);
  }
}

void VersionStream::complete(const StreamOperation& operation) {
  if (operation.outcome == Outcome::fail) return;
  const bool reads = operation.function == Function::read;
  if (operation.outcome == Outcome::info) {
    if (!reads) leave_open("an update of unknown version");
    return;
  }
  if (!reads && operation.function != Function::write)
    return leave_open("an update that is no write");
  const bool initial = reads && !operation.value;
  if (!operation.version && !initial) return leave_open("an operation that tells no version");
  const std::int64_t version = initial ? 0 : *operation.version;
  if (!is_of_one_value(operation, version)) return leave_open("a version of two values");
  if (reads) read(operation, version);
  else update(operation, version);
}

/// Every value but the initial one has a version of its own, other than 0.
bool VersionStream::is_of_one_value(const StreamOperation& operation, std::int64_t version) {
  if (!operation.value) return operation.version.value_or(0) == 0;
  if (version == 0) return false;
  const auto [told, fresh] = values_.try_emplace({operation.key, version}, *operation.value);
  if (!fresh) return told->second == *operation.value;
  told_.emplace_back(operation.key, version);
  if (told_.size() > kUpdatesKept) {
    values_.erase(told_.front());
    told_.pop_front();
  }
  return true;
}

void VersionStream::read(const StreamOperation& read, std::int64_t version) {
  Known& known = known_[{read.session, read.key}];
  const auto dropped = [&](std::int64_t from, const char* how) {
    return fmt::format("session {} read version {} of key {} and had {} version {}", read.session,
                       version, read.key, how, from);
  };
  if (version < known.read) refute(kReads, dropped(known.read, "read"));
  if (version < known.written) refute(kOwnWrites, dropped(known.written, "written"));
  if (version > known.read && version != 0) {
    const VersionOrder::Node node = follow_.add();
    follow_.require(follow_.update(read.key, version), node);
    const auto [before, fresh] = reads_so_far_.try_emplace(read.session, node);
    if (!fresh) follow_.require(std::exchange(before->second, node), node);
    look_at(kFollow, follow_, read);
  }
  known.read = std::max(known.read, version);
}

void VersionStream::update(const StreamOperation& update, std::int64_t version) {
  Known& known = known_[{update.session, update.key}];
  known.written = std::max(known.written, version);
  const VersionOrder::Node node = writes_.update(update.key, version);
  const auto [before, fresh] = last_write_.try_emplace(update.session, node);
  if (!fresh) writes_.require(std::exchange(before->second, node), node);
  look_at(kWrites, writes_, update);
  const VersionOrder::Node follower = follow_.update(update.key, version);
  const auto seen = reads_so_far_.find(update.session);
  if (seen != reads_so_far_.end()) follow_.require(seen->second, follower);
  look_at(kFollow, follow_, update);
}

void VersionStream::look_at(std::size_t which, const VersionOrder& order,
                            const StreamOperation& operation) {
  if (order.state() == VersionOrder::State::circle) {
    refute(which,
           fmt::format("session {}, at key {}: versions, and what the session {} before, "
                       "order updates in a circle",
                       operation.session, operation.key, which == kWrites ? "wrote" : "read"));
  } else if (order.state() == VersionOrder::State::open &&
             verdicts_[which].verdict == Verdict::holds) {
    verdicts_[which] = {Verdict::inconclusive, "a version that came too late to be placed"};
  }
}

void VersionStream::refute(std::size_t which, std::string why) {
  if (verdicts_[which].verdict == Verdict::holds)
    verdicts_[which] = {Verdict::violated, std::move(why)};
}

void VersionStream::leave_open(const char* why) {
  for (StreamingVerdict& verdict : verdicts_) {
    if (verdict.verdict == Verdict::holds) verdict = {Verdict::inconclusive, why};
  }
}

const StreamingVerdict& VersionStream::verdict(StreamingModel guarantee) const {
  switch (guarantee) {
    case StreamingModel::monotonic_reads:
      return verdicts_[kReads];
    case StreamingModel::read_your_writes:
      return verdicts_[kOwnWrites];
    case StreamingModel::monotonic_writes:
      return verdicts_[kWrites];
    default:
      return verdicts_[kFollow];
  }
}

}  // namespace consistory
