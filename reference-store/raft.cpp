// Raft (Ongaro and Ousterhout 2014; Ongaro's thesis 2014 for trial elections, section 9.6, and
// reads, section 6.4). Followers forward requests to the leader, once, so they take effect at most
// once. Reads: through the log; by ReadIndex (the leader proves by a round of heartbeats that it
// still leads); by lease (it answers alone for as long as no other can be elected, by its wall
// clock, so only while clocks run alike); or of the own copy.
//
// Term and vote are durable before any message tells of them, entries before they are acknowledged:
// the shell's durability rule. Membership does not change. Elections stand in raft_election.cpp,
// replication in raft_replication.cpp.
#include "reference-store/raft.h"

#include <fmt/format.h>

#include <algorithm>

#include "reference-store/forwarding.h"
#include "reference-store/raft_times.h"

namespace refstore {
namespace {

bool is_update(const std::string& f) {
  return f == "write" || f == "delete" || f == "append" || f == "cas";
}

}  // namespace

Raft::Raft(const Config& config)
    : config_(config),
      random_(config.seed * 1'000'003 + static_cast<std::uint64_t>(config.self) +
              config.incarnation * 7919) {}

std::int64_t Raft::term_at(std::int64_t index) const {
  return index == base_ ? base_term_ : entry(index).term;
}

// --- what is durable ---

void Raft::recover(const Json& record) {
  if (record.contains("vote")) {
    term_ = record["term"];
    vote_ = record["vote"];
  } else if (record.contains("state")) {
    restore(record);
  } else if (record.contains("cut")) {
    const std::int64_t from = record["cut"];
    if (from <= last()) log_.resize(static_cast<std::size_t>(from - base_ - 1));
  } else {
    log_.push_back({record.at("term"), record.at("command")});
  }
}

void Raft::save_vote(Output& out) {
  if (config_.planted("vote-not-durable")) return;
  out.records.push_back({{"term", term_}, {"vote", vote_}});
}

void Raft::save_entry(std::int64_t index, Output& out) {
  out.records.push_back({{"term", entry(index).term}, {"command", entry(index).command}});
}

void Raft::cut_from(std::int64_t index, Output& out) {
  log_.resize(static_cast<std::size_t>(index - base_ - 1));
  out.records.push_back({{"cut", index}});
}

Json Raft::snapshot() const {
  Json cells = Json::object();
  for (const auto& [key, cell] : cells_) {
    if (config_.planted("snapshot-forgets-last") && cell.ver > applied_ - 20) continue;
    cells[key] = Json::array({cell.value, cell.ver, cell.list});
  }
  return {{"state", std::move(cells)}, {"index", applied_}, {"term_at", term_at(applied_)}};
}

void Raft::restore(const Json& snapshot) {
  base_ = commit_ = applied_ = snapshot.at("index");
  base_term_ = snapshot.at("term_at");
  base_state_ = snapshot;
  log_.clear();
  cells_.clear();
  for (const auto& [key, cell] : snapshot.at("state").items())
    cells_[key] = {cell[0], cell[1], cell[2]};
}

/// Replaces the applied part of a log that has grown long by the state it led to.
void Raft::compact(Output& out) {
  if (static_cast<std::size_t>(applied_ - base_) < config_.snapshot_every) return;
  base_state_ = snapshot();
  const std::int64_t new_term = term_at(applied_);
  log_.erase(log_.begin(), log_.begin() + (applied_ - base_));
  base_ = applied_;
  base_term_ = new_term;
  out.compacts = true;
  out.records.clear();
  save_vote(out);
  out.records.push_back(base_state_);
  for (std::int64_t index = base_ + 1; index <= last(); ++index) save_entry(index, out);
}

// --- requests ---

void Raft::on_request(const Request& request, Time now, Output& out) {
  const bool is_read = request.f == "read";
  if (!is_read && !is_update(request.f)) {
    out.replies.push_back({request.id, Response::failed("unsupported")});
  } else if (is_read && (request.local || config_.reads == "local")) {
    out.replies.push_back({request.id, read(request.key)});
  } else if (role_ == Role::leader) {
    serve(request, {0, request.id}, now, out);
  } else if (leader_ == 0) {
    out.replies.push_back({request.id, Response::failed("no-leader")});
  } else {
    forwarded_[request.id] = now;
    out.sends.push_back({leader_, forward_message(request)});
  }
}

void Raft::serve(const Request& request, const Origin& origin, Time now, Output& out) {
  if (request.f == "read" && config_.reads != "log")
    return serve_read(request.key, origin, now, out);
  propose(Json::array({request.f, request.key, request.value, request.expected}), origin, now, out);
}

void Raft::propose(Json command, const Origin& origin, Time now, Output& out) {
  log_.push_back({term_, std::move(command)});
  save_entry(last(), out);
  if (origin.id != 0) waiting_[last()] = origin;
  send_all(now, out);
  advance_commit(out);
}

/// Only a leader that has committed an entry of its own term knows what is committed.
void Raft::serve_read(const std::string& key, const Origin& origin, Time now, Output& out) {
  const bool current = commit_ > 0 && term_at(commit_) == term_;
  const bool leased = config_.reads == "lease" && now.wall < lease_until_;
  if ((current && leased) || config_.planted("read-without-confirming"))
    return answer(origin, read(key), out);
  send_all(now, out);
  reads_.push_back({origin, key, round_, current ? commit_ : last()});
  answer_reads(out);
}

void Raft::answer_reads(Output& out) {
  if (reads_.empty()) return;
  const std::int64_t confirmed = acknowledged_round();
  std::erase_if(reads_, [&](const WaitingRead& waiting) {
    if (waiting.round > confirmed || applied_ < waiting.index) return false;
    answer(waiting.origin, read(waiting.key), out);
    return true;
  });
}

/// The newest round of heartbeats that a majority, this node included, has answered.
std::int64_t Raft::acknowledged_round() const {
  std::vector<std::int64_t> rounds = {round_};
  for (const auto& [peer, known] : peers_) rounds.push_back(known.round);
  std::sort(rounds.rbegin(), rounds.rend());
  return rounds[static_cast<std::size_t>(config_.majority()) - 1];
}

void Raft::answer(const Origin& origin, const Response& response, Output& out) {
  if (origin.id == 0) return;  // of nobody: the entry that opens a term
  if (origin.node == 0) {
    out.replies.push_back({origin.id, response});
    return;
  }
  out.sends.push_back({origin.node, answer_message(origin.id, response)});
}

void Raft::on_forward(Peer from, const Json& message, Time now, Output& out) {
  const Request request = forwarded_request(message);
  if (role_ == Role::leader) serve(request, {from, request.id}, now, out);
  else answer({from, request.id}, Response::failed("no-leader"), out);
}

void Raft::on_forwarded(const Json& message, Output& out) {
  if (forwarded_.erase(message.at("id").get<std::uint64_t>()) == 0) return;
  out.replies.push_back({message.at("id"), forwarded_answer(message)});
}

// --- time and the shell ---

void Raft::on_message(Peer from, const Json& message, Time now, Output& out) {
  const std::string type = message.at("t");
  if (type == "vote?") on_vote_asked(from, message, now, out);
  if (type == "vote") on_vote(from, message, now, out);
  if (type == "append") on_append(from, message, now, out);
  if (type == "install") on_install(from, message, now, out);
  if (type == "appended") on_appended(from, message, now, out);
  if (type == "forward") on_forward(from, message, now, out);
  if (type == "forwarded") on_forwarded(message, out);
}

void Raft::on_tick(Time now, Output& out) {
  if (election_at_ == 0) {
    leader_heard_ = now;
    reset_election(now);
  }
  std::erase_if(forwarded_,
                [&](const auto& item) { return now - item.second > config_.request_timeout; });
  if (role_ != Role::leader) {
    if (now >= election_at_) start_election(true, now, out);
    return;
  }
  int heard = 1;
  for (const auto& [peer, known] : peers_)
    heard += now - known.heard_at < kElectionMin + kElectionSpread ? 1 : 0;
  const bool steps_down = heard < config_.majority() && !config_.planted("stale-lease") &&
                          !config_.planted("read-without-confirming");
  if (steps_down) return follow(term_, 0, now, out);
  if (now - heartbeat_at_ >= kHeartbeatEvery) send_all(now, out);
}

Json Raft::status() const {
  const char* role = role_ == Role::leader ? "leader" : leader_ == 0 ? "candidate" : "follower";
  return {{"position", fmt::format("{}", applied_)},
          {"pending", waiting_.size() + reads_.size() + static_cast<std::size_t>(last() - commit_) +
                          (leader_ == 0 ? 1 : 0)},
          {"role", role},
          {"term", term_},
          {"leader", leader_},
          {"commit", commit_},
          {"snapshot", base_}};
}

Json Raft::dump() const {
  Json all = Json::object();
  for (const auto& [key, cell] : cells_) all[key] = cell.value;
  return all;
}

std::unique_ptr<Protocol> make_raft(const Config& config) { return std::make_unique<Raft>(config); }

}  // namespace refstore
