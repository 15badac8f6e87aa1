// Raft's replication: the leader sends its log, followers take it, a majority commits, all apply.
#include <algorithm>

#include "reference-store/raft.h"
#include "reference-store/raft_times.h"

namespace refstore {
namespace {

constexpr Millis kResendAfter = 150;
constexpr std::int64_t kBatchMax = 200;

}  // namespace

void Raft::send_all(Time now, Output& out) {
  heartbeat_at_ = now;
  round_sent_[++round_] = now.wall;
  if (round_sent_.size() > 1000) round_sent_.erase(round_sent_.begin());
  for (const auto& [peer, known] : peers_) send_append(peer, now, out);
}

/// One that is silent gets heartbeats only: what it cannot take would pile up on the way.
void Raft::send_append(Peer peer, Time now, Output& out) {
  Peerage& known = peers_.at(peer);
  const bool stale = now - known.sent_at > kResendAfter;
  const bool silent = now - known.heard_at > kElectionMin;
  if (known.match > 0 && stale) known.next = known.match + 1;
  if (known.next <= base_ && !silent) {
    if (stale) send_snapshot(peer, now, out);
    return;
  }
  const std::int64_t first = std::max(known.next, base_ + 1);
  const std::int64_t end = silent ? first - 1 : std::min(last(), first + kBatchMax - 1);
  Json entries = Json::array();
  for (std::int64_t index = first; index <= end; ++index)
    entries.push_back(Json::array({entry(index).term, entry(index).command}));
  const bool heartbeat = entries.empty();
  if (!heartbeat) {
    known.sent_at = now;
    known.next = end + 1;
  }
  out.sends.push_back({peer,
                       {{"t", "append"},
                        {"term", term_},
                        {"prev", first - 1},
                        {"prev_term", term_at(first - 1)},
                        {"entries", std::move(entries)},
                        {"commit", commit_},
                        {"round", round_}},
                       heartbeat});
}

void Raft::send_snapshot(Peer peer, Time now, Output& out) {
  peers_.at(peer).sent_at = now;
  out.sends.push_back(
      {peer, {{"t", "install"}, {"term", term_}, {"round", round_}, {"snapshot", base_state_}}});
}

void Raft::on_append(Peer from, const Json& message, Time now, Output& out) {
  const std::int64_t term = message.at("term");
  bool taken = false;
  if (term >= term_) {
    follow(term, from, now, out);
    leader_heard_ = now;
    taken = take_entries(message, out);
  }
  const std::int64_t upto = message.at("prev").get<std::int64_t>() +
                            static_cast<std::int64_t>(message.at("entries").size());
  if (taken) {
    commit_ = std::max(commit_, std::min(message.at("commit").get<std::int64_t>(), upto));
    apply_committed(out);
  }
  out.sends.push_back(
      {from,
       {{"t", "appended"},
        {"term", term_},
        {"taken", taken},
        {"match", taken ? upto : std::min(last(), message.at("prev").get<std::int64_t>() - 1)},
        {"round", message.at("round")}},
       message.at("entries").empty()});
}

/// False if what comes before the entries is not what the leader has there.
bool Raft::take_entries(const Json& message, Output& out) {
  const std::int64_t prev = message.at("prev");
  if (prev > last()) return false;
  const bool checks = !config_.planted("append-without-check");
  if (checks && prev > base_ && term_at(prev) != message.at("prev_term").get<std::int64_t>())
    return false;
  std::int64_t index = prev;
  for (const Json& item : message.at("entries")) {
    if (++index <= base_) continue;  // the snapshot has it
    const std::int64_t term = item.at(0);
    if (index <= last()) {
      if (!checks || term_at(index) == term) continue;
      cut_from(index, out);
    }
    log_.push_back({term, item.at(1)});
    save_entry(index, out);
  }
  return true;
}

void Raft::on_install(Peer from, const Json& message, Time now, Output& out) {
  const std::int64_t term = message.at("term");
  if (term < term_) return;
  follow(term, from, now, out);
  leader_heard_ = now;
  const Json& snapshot = message.at("snapshot");
  const std::int64_t index = snapshot.at("index");
  const bool has_it = index <= last() && index >= base_ &&
                      term_at(index) == snapshot.at("term_at").get<std::int64_t>();
  if (has_it) {  // and what comes after it, which it may have acknowledged
    commit_ = std::max(commit_, index);
    apply_committed(out);
  } else if (index > applied_) {
    restore(snapshot);
    out.compacts = true;
    out.records.clear();
    save_vote(out);
    out.records.push_back(snapshot);
  }
  out.sends.push_back({from,
                       {{"t", "appended"},
                        {"term", term_},
                        {"taken", true},
                        {"match", index},
                        {"round", message.at("round")}}});
}

void Raft::on_appended(Peer from, const Json& message, Time now, Output& out) {
  const std::int64_t term = message.at("term");
  if (term > term_) return follow(term, 0, now, out);
  if (role_ != Role::leader || term < term_) return;
  Peerage& known = peers_.at(from);
  const std::int64_t match = message.at("match");
  known.heard_at = now;
  known.round = std::max(known.round, message.at("round").get<std::int64_t>());
  if (message.at("taken").get<bool>()) {
    known.match = std::max(known.match, match);
    known.next = std::max(known.next, known.match + 1);
    known.sent_at = now;
  } else {
    known.next = std::max<std::int64_t>(1, std::min(known.next - 1, match + 1));
    known.next = std::max(known.next, known.match + 1);
  }
  const auto sent = round_sent_.find(acknowledged_round());
  const Millis lease = config_.planted("stale-lease") ? 20 * kElectionMin : kLease;
  if (sent != round_sent_.end()) lease_until_ = std::max(lease_until_, sent->second + lease);
  advance_commit(out);
  answer_reads(out);
  if (known.next <= last()) send_append(from, now, out);
}

void Raft::advance_commit(Output& out) {
  if (role_ != Role::leader) return;
  std::vector<std::int64_t> matches = {last()};
  for (const auto& [peer, known] : peers_) matches.push_back(known.match);
  std::sort(matches.rbegin(), matches.rend());
  std::int64_t agreed = matches[static_cast<std::size_t>(config_.majority()) - 1];
  if (config_.planted("commit-without-majority")) agreed = last();
  if (agreed > commit_ && agreed > base_ && term_at(agreed) == term_) commit_ = agreed;
  apply_committed(out);
}

void Raft::apply_committed(Output& out) {
  while (applied_ < commit_) {
    const Entry& next = entry(applied_ + 1);
    ++applied_;
    const Response response = apply(next.command, applied_);
    const auto waiting = waiting_.extract(applied_);
    if (waiting.empty()) continue;
    answer(waiting.mapped(), response, out);
  }
  answer_reads(out);
  compact(out);
}

Response Raft::read(const std::string& key) const {
  Response response;
  response.ver = 0;
  const auto found = cells_.find(key);
  if (found == cells_.end()) return response;
  response.value = found->second.value;
  response.ver = found->second.ver;
  if (found->second.list) response.ver.reset();
  return response;
}

Response Raft::apply(const Json& command, std::int64_t index) {
  const std::string f = command[0], key = command[1];
  if (f == "nothing") return {};
  if (f == "read") return read(key);
  Cell& cell = cells_[key];
  const bool known = !cell.value.is_null();
  if (known && cell.list != (f == "append")) return Response::failed("wrong-type");
  Response response;
  if (f == "cas") {
    response.swapped = cell.value == command[3];
    if (!*response.swapped) {
      response.value = cell.value;
      return response;
    }
  }
  cell.ver = index;
  response.ver = index;
  cell.list = f == "append";
  if (!cell.list) cell.value = f == "delete" ? Json() : command[2];
  else if (!cell.value.is_array()) cell.value = Json::array({command[2]});
  else cell.value.push_back(command[2]);
  return response;
}

}  // namespace refstore
