// Raft's elections: who votes for whom, and when a node believes that somebody leads.
#include "reference-store/raft.h"
#include "reference-store/raft_times.h"

namespace refstore {

void Raft::reset_election(Millis now) {
  election_at_ = now + kElectionMin + static_cast<Millis>(random_() % kElectionSpread);
}

/// leader_heard_ is set at the first tick: one that has just started may have forgotten whom it
/// heard.
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
      answer(waiting, Response::unknown("leadership-lost"), out);
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

}  // namespace refstore
