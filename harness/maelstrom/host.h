#pragma once
// A host for one node of a Maelstrom cluster (github.com/jepsen-io/maelstrom, doc/protocol.md): the
// node is an unchanged program that reads and writes messages as lines of JSON on its standard
// input and output. The host stands between it and the network: messages to other nodes are
// datagrams, so that the sandbox's links can delay, drop, repeat and reorder them; clients connect
// by TCP.

#include <string>
#include <vector>

#include "harness/cluster/ground.h"

namespace consistory {

struct MaelstromHost {
  std::size_t number = 1;       ///< of the node, 1…n
  std::vector<Endpoint> nodes;  ///< where each host takes clients; datagrams go to the port above
  std::string serves;  ///< one of Maelstrom's workloads
  std::vector<std::string> command;
};

/// Runs the node until it ends; returns the exit code for the process.
///
/// A client sends lines {"id":…, "body":{…}} and gets {"id":…, "body":{…}} back; {"status":true}
/// is answered by {"ready":…}. Every message is logged on standard output.
int run_maelstrom_host(const MaelstromHost& host);

}  // namespace consistory
