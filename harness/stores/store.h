#pragma once
// A store on trial: how its nodes are started, asked and understood, and what it claims. One file a
// store; registry.cpp has the table. Implementations are immutable and may be used by any thread.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "harness/clients/clients.h"
#include "harness/cluster/child_process.h"
#include "harness/cluster/ground.h"
#include "harness/stores/installed.h"
#include "nemesis/fault.h"
#include "results/messages.h"
#include "workloads/workload.h"

namespace consistory {

/// Where one node finds the world: filled in by the cluster.
struct NodeLayout {
  std::size_t number = 1;       ///< 1…n
  Endpoint own;                 ///< to listen on
  std::vector<Endpoint> peers;  ///< every node in order, as this node reaches it
  std::string data_directory;
  std::uint64_t seed = 0;
};

/// A store's own settings, as given on the command line or in a campaign ("protocol" -> "quorum").
using StoreSettings = std::vector<std::pair<std::string, std::string>>;

/// One of them, for people and for the command line.
struct StoreSetting {
  enum class Kind { choice, number, flag, several };
  std::string name;
  std::string fallback;
  std::vector<std::string> values;  ///< that are allowed; empty: any
  Kind kind = Kind::choice;
  std::string of;  ///< the protocols that know it, with commas between; empty: all
  std::string help;
};

struct NodeStatus {
  bool drained = false;  ///< nothing under way at this node
  std::string position;  ///< equal at all nodes: they hold the same updates
  bool leads = false;
  std::int64_t term = 0;             ///< of its leadership, where there are terms
  std::int64_t clock_offset_ms = 0;  ///< of the node's clock, as the node reads it
};

/// What a claim depends on beside the configuration.
struct Circumstances {
  bool lists = false;
  bool sessions_move = false;
  bool clocks_move = false;  ///< some fault moves them
  bool swaps = false;        ///< clients compare and swap
};

class Store {
 public:
  virtual ~Store() = default;
  /// "reference primary, sync, reads at the primary"
  virtual std::string description() const = 0;
  /// The settings that matter, as the command line spells them.
  virtual std::vector<std::string> arguments() const = 0;

  virtual bool supports(Function function) const = 0;
  /// Models (or sets of session guarantees) that this configuration promises.
  virtual std::vector<std::string> claims(const Circumstances& circumstances) const = 0;
  /// Isolation levels that this configuration promises; none: it has no transactions.
  virtual std::optional<std::vector<std::string>> isolation() const { return std::nullopt; }
  /// Has it no keys, only one set or counter? Then nothing can be retired for something fresh.
  virtual bool has_one_object() const { return false; }
  /// Can a node be made to tell its own copy? Else there are no final reads.
  virtual bool reads_locally() const { return true; }
  /// Do nodes tell when they have nothing under way? Else nobody knows when a run has settled.
  virtual bool tells_when_drained() const { return true; }
  /// False: nodes run elsewhere, and are reached at endpoints that are given.
  virtual bool starts_nodes() const { return true; }
  /// The port of every node that clients go to; 0: the one that it is given.
  virtual unsigned short client_port() const { return 0; }
  /// Does a node listen on more ports than the one that it is given?
  virtual bool needs_own_address() const { return false; }
  /// Does the cluster come back after this fault without help?
  virtual bool survives(const FaultSpec&) const { return true; }
  /// Do its processes run as another user, who may not enter the folder that holds the run?
  virtual bool runs_as_another_user() const { return false; }
  /// Is node i+1 prepared and started only once node i serves?
  virtual bool starts_in_turn() const { return false; }
  /// How long a node may take to serve.
  virtual Nanos start_timeout() const { return 10 * kSecond; }

  /// Run one after the other before the node's first start.
  virtual std::vector<Command> preparation(const NodeLayout&) const { return {}; }
  /// The processes of a node, started together.
  virtual std::vector<Command> processes(const NodeLayout& layout) const = 0;
  /// Once, when every node serves: what makes a cluster of them.
  virtual Status join_up(const std::vector<NodeLayout>&) const { return Done{}; }
  /// Asks the node; nothing if it does not serve. Blocks for at most a second or so.
  virtual std::optional<NodeStatus> status(const NodeLayout& layout) const = 0;
  /// The file whose number, in ms, moves the node's clock; empty: the store has no such thing.
  virtual std::string clock_offset_file(const NodeLayout&) const { return {}; }

  /// What nodes said to each other, from the logs of nodes 1, 2, …; of stores that let it be seen.
  /// Times are to count from `origin` (monotonic).
  virtual std::vector<Message> messages(const std::vector<std::string>&, Nanos) const { return {}; }

  /// `reached[i]` is where clients find node i+1.
  virtual std::unique_ptr<Clients> clients(std::size_t slots,
                                           const std::vector<Endpoint>& reached) const = 0;
};

/// A row of the table of stores.
struct StoreKind {
  std::string_view name;
  std::string_view summary;
  const std::vector<StoreSetting>& (*settings)();
  /// A usage error names the wrong setting. None: built without the library of its client.
  Result<std::unique_ptr<Store>> (*make)(const StoreSettings& settings, std::size_t nodes);
  std::vector<Program> programs = {};    ///< that it runs
  std::string_view client_package = {};  ///< of the library of its client; empty: it needs none
};

const std::vector<StoreKind>& all_stores();
/// An environment error if what it needs is not here.
Result<const StoreKind*> find_store(std::string_view name);

/// Makes a store and what its settings are; a store has such a pair of functions in its file.
#define CONSISTORY_STORE(name)                                                                  \
  Result<std::unique_ptr<Store>> make_##name(const StoreSettings& settings, std::size_t nodes); \
  const std::vector<StoreSetting>& name##_settings()
CONSISTORY_STORE(reference_store);
CONSISTORY_STORE(described_store);
CONSISTORY_STORE(maelstrom);
CONSISTORY_STORE(etcd);
CONSISTORY_STORE(redis);
CONSISTORY_STORE(redis_cluster);
CONSISTORY_STORE(zookeeper);
CONSISTORY_STORE(postgresql);
CONSISTORY_STORE(galera);
CONSISTORY_STORE(nats);
CONSISTORY_STORE(ovsdb);
#undef CONSISTORY_STORE

}  // namespace consistory
