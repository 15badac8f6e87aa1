#pragma once
// Raft: one log for the whole store, agreed on by a majority (see raft.cpp). The class is declared
// here for the tests that check its invariants.

#include <deque>
#include <map>
#include <random>
#include <set>

#include "reference-store/protocol.h"

namespace refstore {

class Raft final : public Protocol {
 public:
  explicit Raft(const Config& config);

  void recover(const Json& record) override;
  void on_request(const Request& request, Time now, Output& out) override;
  void on_message(Peer from, const Json& message, Time now, Output& out) override;
  void on_tick(Time now, Output& out) override;
  Json status() const override;
  Json dump() const override;

  // What the invariants speak of.
  struct Entry {
    std::int64_t term = 0;
    Json command;  ///< [f, key, value, expected]
  };
  bool is_leader() const { return role_ == Role::leader; }
  std::int64_t term() const { return term_; }
  std::int64_t commit() const { return commit_; }
  std::int64_t base() const { return base_; }
  std::int64_t last() const { return base_ + static_cast<std::int64_t>(log_.size()); }
  /// base() < index <= last().
  const Entry& entry(std::int64_t index) const {
    return log_[static_cast<std::size_t>(index - base_ - 1)];
  }

 private:
  enum class Role { follower, candidate, leader };
  struct Cell {
    Json value;
    std::int64_t ver = 0;
    bool list = false;
  };
  struct Origin {
    Peer node;  ///< 0: a request of this node's own
    std::uint64_t id;
  };
  struct WaitingRead {
    Origin origin;
    std::string key;
    std::int64_t round;
    std::int64_t index;
  };
  struct Peerage {  // what the leader knows of a follower
    std::int64_t next = 1;
    std::int64_t match = 0;
    std::int64_t round = 0;
    Millis sent_at = 0;
    Millis heard_at = 0;
  };

  std::int64_t term_at(std::int64_t index) const;
  bool believes_in_a_leader(Millis now) const;
  bool up_to_date(const Json& message) const;
  void save_vote(Output& out);
  void save_entry(std::int64_t index, Output& out);
  void cut_from(std::int64_t index, Output& out);

  void follow(std::int64_t term, Peer leader, Millis now, Output& out);
  void start_election(bool trial, Time now, Output& out);
  void on_vote_asked(Peer from, const Json& message, Time now, Output& out);
  void on_vote(Peer from, const Json& message, Time now, Output& out);
  void lead(Time now, Output& out);

  void propose(Json command, const Origin& origin, Time now, Output& out);
  void serve(const Request& request, const Origin& origin, Time now, Output& out);
  void serve_read(const std::string& key, const Origin& origin, Time now, Output& out);
  void answer(const Origin& origin, const Response& response, Output& out);
  void send_append(Peer peer, Time now, Output& out);
  void send_snapshot(Peer peer, Time now, Output& out);
  void send_all(Time now, Output& out);
  void on_append(Peer from, const Json& message, Time now, Output& out);
  bool take_entries(const Json& message, Output& out);
  void on_install(Peer from, const Json& message, Time now, Output& out);
  void on_appended(Peer from, const Json& message, Time now, Output& out);
  void on_forward(Peer from, const Json& message, Time now, Output& out);
  void on_forwarded(const Json& message, Output& out);
  void advance_commit(Output& out);
  void apply_committed(Output& out);
  Response apply(const Json& command, std::int64_t index);
  void answer_reads(Output& out);
  void compact(Output& out);
  Json snapshot() const;
  void restore(const Json& snapshot);
  Response read(const std::string& key) const;
  std::int64_t acknowledged_round() const;
  void reset_election(Millis now);

  Config config_;
  std::mt19937_64 random_;
  Role role_ = Role::follower;
  std::int64_t term_ = 0;
  Peer vote_ = 0;
  Peer leader_ = 0;
  std::deque<Entry> log_;  // from base_ + 1
  std::int64_t base_ = 0;  // what the snapshot covers
  std::int64_t base_term_ = 0;
  Json base_state_ = Json::object();
  std::int64_t commit_ = 0;
  std::int64_t applied_ = 0;
  std::map<std::string, Cell> cells_;

  std::set<Peer> votes_;
  bool trial_ = false;  // votes_ are of a trial election (pre-vote)
  std::map<Peer, Peerage> peers_;
  std::int64_t round_ = 0;
  std::map<std::int64_t, Millis> round_sent_;  // by the wall clock
  Millis lease_until_ = 0;                     // by the wall clock
  std::map<std::int64_t, Origin> waiting_;     // by index
  std::vector<WaitingRead> reads_;
  std::map<std::uint64_t, Millis> forwarded_;
  Millis leader_heard_ = -1;
  Millis election_at_ = 0;
  Millis heartbeat_at_ = 0;
};

}  // namespace refstore
