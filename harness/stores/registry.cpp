// The table of stores: the command line, `list` and the campaigns read it.
#include <fmt/format.h>

#include "base/suggest.h"
#include "harness/stores/store.h"

namespace consistory {
namespace {

/// What a store's file has to offer.
struct Offer {
  decltype(StoreKind::make) make;
  decltype(StoreKind::settings) settings;
};

const std::vector<StoreSetting>& no_settings() {
  static const std::vector<StoreSetting> none;
  return none;
}

/// Of clients whose library was not there at build time; CMake says which.
constexpr Offer kMissing{nullptr, no_settings};
#ifdef CONSISTORY_WITH_REDIS
constexpr Offer kRedis{make_redis, redis_settings};
constexpr Offer kRedisCluster{make_redis_cluster, redis_cluster_settings};
#else
constexpr Offer kRedis = kMissing;
constexpr Offer kRedisCluster = kMissing;
#endif
#ifdef CONSISTORY_WITH_POSTGRESQL
constexpr Offer kPostgresql{make_postgresql, postgresql_settings};
#else
constexpr Offer kPostgresql = kMissing;
#endif
#ifdef CONSISTORY_WITH_ZOOKEEPER
constexpr Offer kZookeeper{make_zookeeper, zookeeper_settings};
#else
constexpr Offer kZookeeper = kMissing;
#endif
#ifdef CONSISTORY_WITH_GALERA
constexpr Offer kGalera{make_galera, galera_settings};
#else
constexpr Offer kGalera = kMissing;
#endif

#ifdef CONSISTORY_WITH_NATS
constexpr Offer kNats{make_nats, nats_settings};
#else
constexpr Offer kNats = kMissing;
#endif

}  // namespace

const std::vector<StoreKind>& all_stores() {
  static const std::vector<StoreKind> stores = {
      {"ref", "the bundled reference store (consistory list protocols)", reference_store_settings,
       make_reference_store},
      {"file", "any store that --store describes, or --adapter speaks to (docs/ADAPTERS.md)",
       described_store_settings, make_described_store},
      {"maelstrom", "nodes that speak Maelstrom's protocol (--bin, workload lin-kv)",
       maelstrom_settings, make_maelstrom},
      {"etcd",
       "Raft; registers with versions and cas",
       etcd_settings,
       make_etcd,
       {{"etcd", "etcd-server"}}},
      {"redis",
       "asynchronous replication, failover by Sentinel; registers and lists",
       kRedis.settings,
       kRedis.make,
       {{"redis-server", "redis-server"}},
       "libhiredis-dev"},
      {"redis-cluster",
       "Redis Cluster: keys dealt out over primaries, replicas from six nodes on; registers, lists",
       kRedisCluster.settings,
       kRedisCluster.make,
       {{"redis-server", "redis-server"}, {"redis-cli", "redis-tools"}},
       "libhiredis-dev"},
      {"zookeeper",
       "Zab; registers with versions and cas; reads are local",
       kZookeeper.settings,
       kZookeeper.make,
       {{"java", "default-jre-headless"}, {"/usr/share/java/zookeeper.jar", "zookeeper"}},
       "libzookeeper-mt-dev"},
      {"postgresql",
       "streaming replication; registers, lists, cas, transactions",
       kPostgresql.settings,
       kPostgresql.make,
       {{"/usr/lib/postgresql/15/bin/postgres", "postgresql-15"}},
       "libpq-dev"},
      {"galera",
       "MariaDB, every node takes updates; registers, lists, transactions",
       kGalera.settings,
       kGalera.make,
       {{"mariadbd", "mariadb-server"},
        {"/usr/lib/galera/libgalera_smm.so", "galera-4"},
        {"rsync", "rsync"},
        {"lsof", "lsof"}},
       "libmariadb-dev"},
      {"nats",
       "JetStream, a stream as a key-value store; registers with versions and cas",
       kNats.settings,
       kNats.make,
       {{"nats-server", "nats-server"}},
       "libnats-dev"},
      {"ovsdb",
       "Raft, the database of Open vSwitch; registers with versions and cas",
       ovsdb_settings,
       make_ovsdb,
       {{"ovsdb-server", "openvswitch-common"}, {"ovsdb-tool", "openvswitch-common"}}},
  };
  return stores;
}

Result<const StoreKind*> find_store(std::string_view name) {
  std::vector<std::string> known;
  for (const StoreKind& store : all_stores()) {
    known.emplace_back(store.name);
    if (store.name != name) continue;
    if (store.make == nullptr) {
      return environment_error(
          fmt::format("this build has no client for {}: apt-get install {}, then build again", name,
                      store.client_package));
    }
    const std::vector<std::string> missing = missing_packages(store.programs);
    if (missing.empty()) return &store;
    return environment_error(
        fmt::format("{} is not installed: apt-get install {}", name, join(missing, " ")));
  }
  return usage_error(unknown_name("store", name, known));
}

}  // namespace consistory
