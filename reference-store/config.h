#pragma once
// The settings of one node. Names and values are those of the command line (main.cpp), which checks
// them; PROTOCOL.md says what they mean.

#include <cstdint>
#include <string>

namespace refstore {

using Peer = int;  ///< 1-based node number
using Millis = std::int64_t;

struct Config {
  Peer self = 1;
  int nodes = 3;
  std::uint64_t incarnation = 1;  ///< of this node; durable, one more at each start
  std::uint64_t seed = 1;
  Millis request_timeout = 700;  ///< when a pending request is answered `info` or refused
  std::string protocol = "primary";
  std::string primary = "single";     ///< primary: single | per-key
  Peer primary_node = 1;              ///< primary: who it is (per-key: of this share of the keys)
  std::string propagation = "sync";   ///< primary: sync | majority | async; local-writes: the ends
  std::string read_from = "primary";  ///< primary: primary | local
  int read_quorum = 2;                // a majority of three
  int write_quorum = 2;
  bool read_write_back = false;        ///< quorum
  Millis link_delay = 0;               ///< mean delay of what goes to another node
  Millis lazy_delay = 100;             ///< eventual: mean delay before an update is sent on
  std::string lww = "lamport";         ///< eventual: lamport | wall
  std::string conflicts = "converge";  ///< causal: converge | arrival
  std::string session;                 ///< of mr, mw, ryw, wfr, comma-separated
  std::string reads = "index";         ///< raft: log | index | lease | local
  std::size_t snapshot_every = 1000;   ///< raft: entries kept in the log
  bool versions = true;                ///< shown to clients
  std::string defect;                  ///< planted, by name (defects.h); empty: none

  bool planted(const char* name) const { return defect == name; }
  int majority() const { return nodes / 2 + 1; }
};

}  // namespace refstore
