// Each bug, the systems or papers in which its like was met, the load under which it shows, and the
// weakest models that it can break. Without the bug the same load keeps them (truth_rows.cpp).
#include "harness/stores/defects.h"

#include <algorithm>
#include <array>

namespace consistory {
namespace {

using Names = std::vector<std::string>;

const Names kStale = {"monotonic-reads", "read-your-writes", "monotonic-reads-view",
                      "read-your-writes-view", "weak-causal"};
const Names kLost = {"monotonic-reads",
                     "monotonic-writes",
                     "read-your-writes",
                     "writes-follow-reads",
                     "monotonic-reads-view",
                     "monotonic-writes-view",
                     "read-your-writes-view",
                     "writes-follow-reads-view",
                     "weak-causal",
                     "eventual",
                     "convergence"};

Names with(Names names, const char* more) {
  names.emplace_back(more);
  return names;
}

StoreSettings primary(const char* propagation, const char* read_from) {
  return {{"protocol", "primary"},
          {"propagation", propagation},
          {"read-from", read_from},
          {"link-delay", "4"}};
}
const StoreSettings kLocalWrites = {
    {"protocol", "local-writes"}, {"propagation", "sync"}, {"link-delay", "4"}};
StoreSettings quorum(const char* write_back) {
  return {{"protocol", "quorum"}, {"read-write-back", write_back}, {"link-delay", "4"}};
}
const StoreSettings kCausal = {{"protocol", "causal"}, {"link-delay", "4"}};
StoreSettings eventual(const char* session) {
  StoreSettings settings = {{"protocol", "eventual"}};
  if (*session != '\0') settings.push_back({"session", session});
  return settings;
}
StoreSettings raft(const char* reads, const char* link_delay) {
  return {{"protocol", "raft"},
          {"reads", reads},
          {"link-delay", link_delay},
          {"snapshot-every", "100"}};
}

std::vector<DefectCase> primary_defects() {
  return {
      {"ack-before-replicas",
       "primary",
       "an update is answered before any replica holds it",
       "MongoDB with w:1 (Jepsen 2013)",
       primary("sync", "local"),
       true,
       "register",
       {"partition"},
       {"read-your-writes", "read-your-writes-view"}},
      {"apply-out-of-order",
       "primary",
       "a replica applies every fifth update after the next one",
       "parallel appliers of MySQL replicas without commit order",
       primary("sync", "local"),
       false,
       "append",
       {"partition"},
       kLost},
      {"retry-applied-twice",
       "primary",
       "a forwarded update without an answer is sent again, and the primary does not notice",
       "etcd clients before retries were told apart (Jepsen 2020)",
       primary("sync", "primary"),
       true,
       "append",
       {"partition", "pause"},
       {"read-values", "eventual", "convergence"}},
      {"refused-but-forwarded",
       "primary",
       "an update that was refused is sent to the primary all the same",
       "failed writes that take effect: RethinkDB, MongoDB (Jepsen 2015, 2017)",
       primary("sync", "primary"),
       true,
       "append",
       {"kill", "partition"},
       {"read-values", "eventual", "convergence"},
       "1500ms",
       "900ms"},
  };
}

std::vector<DefectCase> local_writes_defects() {
  Names split = with(kLost, "read-values");  // versions are used twice
  std::erase(split, "weak-causal");          // which nobody promises here
  return {
      {"transfer-without-epoch-check",
       "local-writes",
       "a node takes a grant of primaryship without looking at its epoch",
       "leases without fencing tokens (Kleppmann 2016)",
       kLocalWrites,
       false,
       "append",
       {"pause", "partition"},
       split,
       "1s",
       "400ms"},
      {"transfer-keeps-primaryship",
       "local-writes",
       "a node that grants primaryship goes on as primary",
       "split brain after a failover: Redis Sentinel (Jepsen 2013)",
       kLocalWrites,
       false,
       "append",
       {"partition"},
       split},
      {"transfer-forgets-last",
       "local-writes",
       "a grant leaves out the last element of a list",
       "failover to a replica that is behind",
       kLocalWrites,
       false,
       "append",
       {"partition"},
       split},
  };
}

std::vector<DefectCase> quorum_defects() {
  const Names writes = {"read-your-writes", "monotonic-writes"};
  return {
      {"ack-before-quorum",
       "quorum",
       "a write is answered when one node holds it",
       "sloppy quorums (DeCandia et al. 2007)",
       quorum("off"),
       true,
       "register",
       {"partition"},
       writes},
      {"read-one-answer",
       "quorum",
       "a read is answered from the first node that answers",
       "Cassandra at consistency level ONE (Bailis et al. 2012)",
       quorum("off"),
       true,
       "register",
       {"partition"},
       {"read-your-writes"}},
      {"write-without-asking",
       "quorum",
       "a write takes its version from the own copy, not from a quorum",
       "last writer wins by local counters",
       quorum("off"),
       true,
       "register",
       {"partition"},
       writes},
      {"write-back-older",
       "quorum",
       "a read writes back the first answer, and nodes take it even if it is older",
       "read repair with the older value",
       quorum("on"),
       true,
       "register",
       {"partition"},
       kLost},
  };
}

std::vector<DefectCase> causal_defects() {
  const Names below = {"read-your-writes", "monotonic-writes", "writes-follow-reads", "weak-causal",
                       "read-your-writes-view"};
  return {
      {"ignore-dependency",
       "causal",
       "an update is applied without what it depends on",
       "Lloyd et al. 2011, who show why it may not be",
       {{"protocol", "causal"}, {"link-delay", "15"}},
       true,
       "append",
       {"partition"},
       {"monotonic-writes", "writes-follow-reads", "weak-causal"}},
      {"drop-vector-entry",
       "causal",
       "a client's token leaves out one node's updates",
       "pruned version vectors (DeCandia et al. 2007)",
       kCausal,
       true,
       "register",
       {"partition"},
       with(with(kStale, "monotonic-writes"), "writes-follow-reads")},
      {"tie-by-arrival",
       "causal",
       "updates of one Lamport time are ordered as they arrive",
       "Cassandra's equal time stamps (Jepsen 2013)",
       {{"protocol", "causal"}, {"link-delay", "15"}},
       true,
       "register",
       {"partition"},
       {"convergence", "monotonic-reads", "monotonic-writes", "read-your-writes",
        "writes-follow-reads", "monotonic-reads-view", "read-your-writes-view"}},
      {"clock-not-merged",
       "causal",
       "the Lamport clock does not learn from other nodes",
       "Lamport 1978, rule IR2",
       kCausal,
       true,
       "register",
       {"partition"},
       below},
      {"wall-clock-versions",
       "causal",
       "versions are by the wall clock",
       "Riak and Cassandra under skew (Jepsen 2013)",
       kCausal,
       true,
       "register",
       {"clock:skew"},
       below},
  };
}

std::vector<DefectCase> eventual_defects() {
  return {
      {"gossip-skips-key",
       "eventual",
       "updates of keys that end in 1 are taken for delivered and not applied",
       "anti-entropy that trusts its own bookkeeping",
       eventual(""),
       false,
       "append",
       {"partition"},
       {"convergence"}},
      {"repair-forgets-first",
       "eventual",
       "of the updates that anti-entropy brings, the first is kept and not applied",
       "hinted hand-off that lost hints: Riak, Cassandra",
       eventual(""),
       false,
       "append",
       {"partition", "kill"},
       {"convergence"}},
      {"delete-without-tombstone",
       "eventual",
       "a deleted key forgets its version",
       "Dynamo-like stores that drop tombstones too early",
       eventual(""),
       false,
       "delete",
       {"partition"},
       {"convergence", "monotonic-reads", "read-your-writes", "monotonic-reads-view",
        "read-your-writes-view"}},
      {"session-forgets-writes",
       "eventual",
       "the session layer does not add writes to the token",
       "MongoDB sessions without afterClusterTime (Jepsen 2018)",
       eventual("ryw"),
       true,
       "register",
       {"partition"},
       {"read-your-writes"}},
      {"session-without-dependencies",
       "eventual",
       "the session layer checks only the node that it asks, and updates travel without what they "
       "follow",
       "Terry et al. 1994, section 4",
       eventual("mr,mw,ryw,wfr"),
       true,
       "append",
       {"partition"},
       {"monotonic-writes", "writes-follow-reads", "weak-causal"}},
  };
}

std::vector<DefectCase> raft_defects() {
  const Names split = with(kLost, "read-values");
  return {
      {"vote-not-durable",
       "raft",
       "term and vote are forgotten by a restart",
       "Ongaro, Ousterhout 2014, figure 2; dqlite (Jepsen 2022)",
       raft("index", "15"),
       true,
       "append",
       {"kill:all"},
       split,
       "900ms",
       "100ms"},
      {"vote-for-stale-log",
       "raft",
       "a vote is given without comparing logs",
       "Ongaro, Ousterhout 2014, section 5.4.1",
       raft("index", "80"),
       true,
       "append",
       {"kill:leader"},
       split,
       "900ms",
       "100ms",
       {"--concurrency", "30", "--rate", "1000"}},
      {"commit-without-majority",
       "raft",
       "the leader commits what it alone holds",
       "RethinkDB, Elasticsearch (Jepsen 2014, 2016)",
       raft("index", "4"),
       true,
       "append",
       {"kill:leader", "partition:leader"},
       split,
       "1500ms",
       "900ms"},
      {"append-without-check",
       "raft",
       "a follower appends without looking at what comes before",
       "RedisRaft (Jepsen 2020)",
       raft("index", "15"),
       true,
       "append",
       {"kill:leader", "partition:leader"},
       split,
       "1500ms",
       "900ms"},
      {"read-without-confirming",
       "raft",
       "the leader answers reads without proof that it still leads",
       "etcd and Consul before quorum reads (Jepsen 2014)",
       raft("index", "4"),
       true,
       "register",
       {"partition:leader"},
       kStale},
      {"stale-lease",
       "raft",
       "a lease lasts longer than it takes to elect another leader",
       "Ongaro 2014, section 6.4.1",
       raft("lease", "4"),
       true,
       "register",
       {"partition:leader"},
       kStale},
      {"snapshot-forgets-last",
       "raft",
       "a snapshot leaves out the last updates that it covers",
       "RedisRaft's snapshots (Jepsen 2020)",
       raft("index", "4"),
       true,
       "append",
       {"kill"},
       split,
       "1200ms",
       "600ms"},
  };
}

bool is_quick(std::string_view name) {
  constexpr std::array<std::string_view, 8> kQuick = {
      "ack-before-replicas",     "transfer-keeps-primaryship", "read-one-answer",
      "ignore-dependency",       "gossip-skips-key",           "session-forgets-writes",
      "commit-without-majority", "read-without-confirming"};
  return std::find(kQuick.begin(), kQuick.end(), name) != kQuick.end();
}

}  // namespace

std::span<const DefectCase> all_defects() {
  static const std::vector<DefectCase> cases = [] {
    std::vector<DefectCase> all;
    for (auto* part : {primary_defects, local_writes_defects, quorum_defects, causal_defects,
                       eventual_defects, raft_defects}) {
      for (DefectCase& defect : part()) {
        defect.quick = is_quick(defect.name);
        all.push_back(std::move(defect));
      }
    }
    return all;
  }();
  return cases;
}

std::vector<std::string> defect_names() {
  std::vector<std::string> names;
  for (const DefectCase& defect : all_defects()) names.push_back(defect.name);
  return names;
}

}  // namespace consistory
