#pragma once
// Replica: a copy that takes updates at any node. It knows every update that reached it, in any
// order, applies each once what it depends on is applied, shows registers and lists, and tells what
// another copy lacks (anti-entropy by vectors of updates; Demers et al. 1987, Petersen et al.
// 1997). Used by the eventual and the causal protocol, which differ in what an update depends on
// and in how it travels.

#include <list>
#include <map>
#include <set>
#include <string>

#include "reference-store/protocol.h"

namespace refstore {

struct Update {
  std::string origin;  ///< "node.incarnation": its sequence starts at 1 and has no gaps
  std::uint64_t seq = 0;
  std::int64_t ver = 0;  ///< (time, node, incarnation) in one integer, which orders all updates
  std::string f;         ///< write | append
  std::string key;
  Json value;      ///< null: deleted
  Vector depends;  ///< causal: what its node had applied
  Updates after;   ///< what its session had seen, as far as its guarantees ask for it
};
Json to_json(const Update& update);
Update update_from_json(const Json& json);

class Replica {
 public:
  struct Options {
    bool in_sequence = false;  ///< updates of one origin are applied in their order
    bool by_arrival = false;   ///< the last to arrive wins, not the highest version
    bool wall_clock = false;   ///< versions by the wall clock, not by Lamport's
  };
  Replica(const Config& config, Options options);

  /// Would it make a list of a register, or a register of a list?
  bool clashes(const Request& request) const;
  /// Makes an update of this node's own and applies it.
  const Update& create(const Request& request, Vector depends, Time now);
  /// Keeps an update, and applies all that need wait no longer; false if it was known.
  /// Not `shown`: it counts as applied and is not (a planted bug).
  bool learn(const Update& update, bool shown = true);

  Response read(const std::string& key) const;
  /// What a read of the key shows of whose updates.
  Updates sources(const std::string& key) const;
  const Vector& applied() const { return applied_; }
  bool holds(const Vector& vector) const;
  bool holds(const Updates& updates) const;

  /// The updates that one who holds `have` lacks, at most a batch of them, but for `except`.
  Json missing(const Vector& have, const std::set<std::uint64_t>& except_own) const;
  /// All updates known of each origin, from the first without a gap.
  const Vector& known() const { return contiguous_; }

  std::string position() const;
  std::size_t waiting() const { return waiting_.size() + gaps_; }
  Json dump() const;

 private:
  struct Cell {
    std::int64_t place = 0;  // of the value: a later one replaces it
    std::int64_t ver = 0;    // of the value
    Json value;
    std::map<std::int64_t, Json> elements;  // of a list, in its order
    bool list = false;
    Updates sources;
  };

  std::int64_t next_version(Time now);
  bool ready(const Update& update) const;
  void apply(const Update& update);
  void show(const Update& update);
  static Json shown(const Cell& cell);

  Config config_;
  Options options_;
  std::string origin_;
  std::map<std::string, std::map<std::uint64_t, Update>> updates_;  // by origin
  Vector contiguous_;                                               // known, from the first
  std::size_t gaps_ = 0;                                            // known beyond that
  std::list<Update> waiting_;  // for what they depend on, in the order in which they came
  Vector applied_;             // from the first without a gap
  std::map<std::string, std::set<std::uint64_t>> applied_beyond_;
  std::map<std::string, Cell> cells_;
  std::int64_t clock_ = 0;  // the highest time of an update seen
  std::int64_t arrivals_ = 0;
  std::set<std::pair<std::string, std::uint64_t>> hidden_;  // planted: never shown
};

}  // namespace refstore
