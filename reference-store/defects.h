#pragma once
// Planted bugs, one at a time (--defect NAME): classic mistakes of replication, so that a harness
// can show that it catches them. Each is a few lines at the place named by Config::planted.

#include <array>
#include <string_view>

namespace refstore {

struct Defect {
  std::string_view name;
  std::string_view protocol;
  std::string_view what;
};

constexpr std::array kDefects = std::to_array<Defect>({
    {"ack-before-replicas", "primary", "an update is answered before any replica holds it"},
    {"apply-out-of-order", "primary", "a replica applies every fifth update after the next one"},
    {"retry-applied-twice", "primary",
     "a forwarded update without an answer is sent again, and the primary does not notice"},
    {"refused-but-forwarded", "primary",
     "an update that was refused is sent to the primary all the same"},
    {"transfer-without-epoch-check", "local-writes",
     "a node takes a grant of primaryship without looking at its epoch"},
    {"transfer-keeps-primaryship", "local-writes",
     "a node that grants primaryship goes on as primary"},
    {"transfer-forgets-last", "local-writes", "a grant leaves out the last element of a list"},
    {"ack-before-quorum", "quorum", "a write is answered when one node holds it"},
    {"read-one-answer", "quorum", "a read is answered from the first node that answers"},
    {"write-without-asking", "quorum",
     "a write takes its version from the own copy, not from a quorum"},
    {"write-back-older", "quorum",
     "a read writes back the first answer, and nodes take it even if it is older"},
    {"ignore-dependency", "causal", "an update is applied without what it depends on"},
    {"drop-vector-entry", "causal", "a client's token leaves out one node's updates"},
    {"tie-by-arrival", "causal", "updates of one Lamport time are ordered as they arrive"},
    {"clock-not-merged", "causal", "the Lamport clock does not learn from other nodes"},
    {"wall-clock-versions", "causal", "versions are by the wall clock"},
    {"gossip-skips-key", "eventual",
     "updates of keys that end in 1 are taken for delivered and not applied"},
    {"repair-forgets-first", "eventual",
     "of the updates that anti-entropy brings, the first is kept and not applied"},
    {"delete-without-tombstone", "eventual", "a deleted key forgets its version"},
    {"session-forgets-writes", "eventual", "the session layer does not add writes to the token"},
    {"session-without-dependencies", "eventual",
     "the session layer checks only the node that it asks, and updates travel without what they "
     "follow"},
    {"vote-not-durable", "raft", "term and vote are forgotten by a restart"},
    {"vote-for-stale-log", "raft", "a vote is given without comparing logs"},
    {"commit-without-majority", "raft", "the leader commits what it alone holds"},
    {"append-without-check", "raft", "a follower appends without looking at what comes before"},
    {"read-without-confirming", "raft",
     "the leader answers reads without proof that it still leads"},
    {"stale-lease", "raft", "a lease lasts longer than it takes to elect another leader"},
    {"snapshot-forgets-last", "raft", "a snapshot leaves out the last updates that it covers"},
});

}  // namespace refstore
