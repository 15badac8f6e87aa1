// Raft (Ongaro and Ousterhout 2014; Ongaro's thesis 2014 for trial elections, section 9.6, and
// reads, section 6.4). Followers forward requests to the leader, once, so they take effect at most
// once. Reads: through the log; by ReadIndex (the leader proves by a round of heartbeats that it
// still leads); by lease (it answers alone for as long as no other can be elected, by its wall
// clock, so only while clocks run alike); or of the own copy.
//
// Term and vote are durable before any message tells of them, entries before they are acknowledged:
// the shell's durability rule. Membership does not change.
#include "reference-store/raft.h"

#include <fmt/format.h>

#include <algorithm>

namespace refstore {
namespace {

constexpr Millis kElectionMin = 300;
constexpr Millis kElectionSpread = 300;
constexpr Millis kHeartbeatEvery = 60;
constexpr Millis kLease = 200;  // shorter than any election, and some
constexpr Millis kResendAfter = 150;
constexpr std::int64_t kBatchMax = 200;

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

// --- elections ---

void Raft::reset_election(Millis now) {
  election_at_ = now + kElectionMin + static_cast<Millis>(random_() % kElectionSpread);
}

/// One that has just started may have forgotten whom it heard.
bool Raft::believes_in_a_leader(Millis now) const {
  return role_ == Role::leader || now - leader_heard_ < kElectionMin;
}

bool Raft::up_to_date(const Json& message) const {
  if (config_.planted("vote-for-stale-log")) return true;
  const std::int64_t their_term = message.at("last_term"), their_last = message.at("last");
  const std::int64_t my_term = term_at(last());
  return their_term > my_term || (their_term == my_term && their_last >= last());
}

void Raft::follow(std::int64_t term, Peer leader, Millis now, Output& out) {
  if (term > term_) {
    term_ = term;
    vote_ = 0;
    save_vote(out);
  }
  if (role_ == Role::leader) {
    for (const auto& [index, waiting] : waiting_)
      answer(waiting.origin, Response::unknown("leadership-lost"), out);
    for (const WaitingRead& read : reads_)
      answer(read.origin, Response::failed("leadership-lost-read"), out);
    waiting_.clear();
    reads_.clear();
    lease_until_ = 0;
  }
  role_ = Role::follower;
  leader_ = leader;
  reset_election(now);
}

/// A trial election asks who would vote, and changes nothing: a node that was cut off does not
/// unseat a leader when it comes back.
void Raft::start_election(bool trial, Time now, Output& out) {
  trial_ = trial;
  role_ = Role::candidate;
  leader_ = 0;
  votes_ = {config_.self};
  reset_election(now);
  if (!trial) {
    ++term_;
    vote_ = config_.self;
    save_vote(out);
  }
  for (Peer peer = 1; peer <= config_.nodes; ++peer) {
    if (peer == config_.self) continue;
    out.sends.push_back({peer,
                         {{"t", "vote?"},
                          {"trial", trial},
                          {"term", trial ? term_ + 1 : term_},
                          {"last", last()},
                          {"last_term", term_at(last())}}});
  }
  if (config_.nodes == 1) trial ? start_election(false, now, out) : lead(now, out);
}

void Raft::on_vote_asked(Peer from, const Json& message, Time now, Output& out) {
  if (believes_in_a_leader(now)) return;
  const std::int64_t term = message.at("term");
  const bool trial = message.at("trial");
  if (!trial && term > term_) follow(term, 0, now, out);
  const bool free = trial ? term > term_ : term == term_ && (vote_ == 0 || vote_ == from);
  const bool yes = free && up_to_date(message);
  if (yes && !trial) {
    vote_ = from;
    save_vote(out);
    reset_election(now);
  }
  out.sends.push_back({from,
                       {{"t", "vote"},
                        {"trial", trial},
                        {"term", trial ? term : term_},
                        {"voter_term", term_},
                        {"yes", yes}}});
}

void Raft::on_vote(Peer from, const Json& message, Time now, Output& out) {
  const std::int64_t term = message.at("term");
  const bool trial = message.at("trial");
  const std::int64_t voter_term = message.at("voter_term");
  if (voter_term > term_) return follow(voter_term, 0, now, out);
  if (!message.at("yes").get<bool>()) return;
  if (role_ != Role::candidate || trial != trial_ || term != (trial ? term_ + 1 : term_)) return;
  votes_.insert(from);
  if (votes_.size() < static_cast<std::size_t>(config_.majority())) return;
  if (trial) start_election(false, now, out);
  else lead(now, out);
}

void Raft::lead(Time now, Output& out) {
  role_ = Role::leader;
  leader_ = config_.self;
  peers_.clear();
  round_sent_.clear();
  lease_until_ = 0;
  for (Peer peer = 1; peer <= config_.nodes; ++peer) {
    if (peer != config_.self) peers_[peer] = {last() + 1, 0, 0, 0, now};
  }
  propose(Json::array({"nothing", "", nullptr, nullptr}), {0, 0}, now, out);
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
    out.sends.push_back({leader_,
                         {{"t", "forward"},
                          {"id", request.id},
                          {"f", request.f},
                          {"key", request.key},
                          {"value", request.value},
                          {"expected", request.expected}}});
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
  if (origin.id != 0) waiting_[last()] = {origin, term_};
  send_all(now, out);
  advance_commit(out);
}

/// Only a leader that has committed an entry of its own term knows what is committed.
void Raft::serve_read(const std::string& key, const Origin& origin, Time now, Output& out) {
  const bool current = commit_ > 0 && commit_ >= base_ && term_at(commit_) == term_;
  const bool leased = config_.reads == "lease" && now.wall < lease_until_;
  if ((current && leased) || config_.planted("read-without-confirming"))
    return answer(origin, read(key), out);
  send_all(now, out);
  reads_.push_back({origin, key, round_, current ? commit_ : last()});
  answer_reads(out);
}

void Raft::answer_reads(Output& out) {
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
  Json message{{"t", "forwarded"},
               {"id", origin.id},
               {"type", response.type},
               {"error", response.error},
               {"value", response.value}};
  if (response.ver) message["ver"] = *response.ver;
  if (response.swapped) message["swapped"] = *response.swapped;
  out.sends.push_back({origin.node, std::move(message)});
}

void Raft::on_forward(Peer from, const Json& message, Time now, Output& out) {
  Request request;
  request.id = message.at("id");
  request.f = message.at("f");
  request.key = message.at("key");
  request.value = message.at("value");
  request.expected = message.at("expected");
  if (role_ == Role::leader) serve(request, {from, request.id}, now, out);
  else answer({from, request.id}, Response::failed("no-leader"), out);
}

void Raft::on_forwarded(const Json& message, Output& out) {
  if (forwarded_.erase(message.at("id").get<std::uint64_t>()) == 0) return;
  Response response;
  response.type = message.at("type");
  response.error = message.at("error");
  response.value = message.at("value");
  if (message.contains("ver")) response.ver = message["ver"].get<std::int64_t>();
  if (message.contains("swapped")) response.swapped = message["swapped"].get<bool>();
  out.replies.push_back({message.at("id"), response});
}

// --- replication ---

void Raft::send_all(Time now, Output& out) {
  heartbeat_at_ = now;
  round_sent_[++round_] = now.wall;
  if (round_sent_.size() > 1000) round_sent_.erase(round_sent_.begin());
  for (const auto& [peer, known] : peers_) send_append(peer, now, out);
}

void Raft::send_append(Peer peer, Time now, Output& out) {
  Peerage& known = peers_.at(peer);
  const bool stale = now - known.sent_at > kResendAfter;
  if (known.match > 0 && stale) known.next = known.match + 1;
  if (known.next <= base_) {
    if (!stale) return;
    out.sends.push_back(
        {peer, {{"t", "install"}, {"term", term_}, {"round", round_}, {"snapshot", base_state_}}});
    known.sent_at = now;
    return;
  }
  Json entries = Json::array();
  // One that is silent gets heartbeats only: what it cannot take would pile up on the way.
  const bool silent = now - known.heard_at > kElectionMin;
  const std::int64_t end =
      silent ? known.next - 1 : std::min(last(), known.next + kBatchMax - 1);
  for (std::int64_t index = known.next; index <= end; ++index)
    entries.push_back(Json::array({entry(index).term, entry(index).command}));
  if (!entries.empty()) known.sent_at = now;
  out.sends.push_back({peer,
                       {{"t", "append"},
                        {"term", term_},
                        {"prev", known.next - 1},
                        {"prev_term", term_at(known.next - 1)},
                        {"entries", std::move(entries)},
                        {"commit", commit_},
                        {"round", round_}}});
  known.next = end + 1;
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
  out.sends.push_back({from,
                       {{"t", "appended"},
                        {"term", term_},
                        {"taken", taken},
                        {"match", taken ? upto : last()},
                        {"round", message.at("round")}}});
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
    const std::int64_t term = item[0];
    if (index <= last()) {
      if (!checks || term_at(index) == term) continue;
      cut_from(index, out);
    }
    log_.push_back({term, item[1]});
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
  if (index > applied_) {
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
    const bool ours = waiting.mapped().term == next.term;
    answer(waiting.mapped().origin, ours ? response : Response::unknown("leadership-lost"), out);
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
