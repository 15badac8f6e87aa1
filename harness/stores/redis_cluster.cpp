// Redis Cluster: every key has one primary of several, told by its hash slot; from six nodes on
// each primary has a replica that takes its place. A session asks its node, and goes where that
// sends it (MOVED), as clients of Redis Cluster do: a node that sends it on has done nothing, so no
// update is done twice.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/suggest.h"
#include "harness/stores/redis_link.h"
#include "harness/stores/settings.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 6379;
constexpr int kHopsMax = 5;
constexpr std::size_t kNodesOfReplicas = 6;  // with fewer there are not three primaries beside them

class ClusterConnection final : public Connection {
 public:
  explicit ClusterConnection(Endpoint home) : home_(std::move(home)) {}

  Completion perform(const ClientRequest& request) override {
    const Nanos deadline = monotonic_now() + request.timeout;
    const std::vector<std::string> words = redis_words(request.invocation);
    Endpoint node = owner_of(request.invocation.key);
    for (int hop = 0; hop < kHopsMax; ++hop) {
      const Nanos left = deadline - monotonic_now();
      if (left <= 0) return failed("sent-on-for-too-long");
      RedisLink& link = links_[node.text()];
      if (!link.is_open() && !link.open(node.host, node.port, left)) {
        owners_.erase(request.invocation.key);  // somebody else may own it by now
        return failed("connection-refused");
      }
      const RedisReply reply = link.ask(words);
      if (!reply) {
        owners_.erase(request.invocation.key);
        return unknown(link.trouble());
      }
      const std::optional<Endpoint> next = sent_on_by(*reply);
      if (!next) return redis_completion(request.invocation, *reply);
      node = owners_[request.invocation.key] = *next;
    }
    return failed("sent-on-too-often");
  }
  bool broken() const override { return false; }  // links are opened again one by one

 private:
  Endpoint owner_of(const std::string& key) const {
    const auto known = owners_.find(key);
    return known == owners_.end() ? home_ : known->second;
  }

  /// "MOVED 3999 10.77.0.2:6379"
  static std::optional<Endpoint> sent_on_by(const redisReply& reply) {
    const std::string text = reply.type == REDIS_REPLY_ERROR ? text_of(&reply) : std::string();
    if (!text.starts_with("MOVED ")) return std::nullopt;
    const Result<Endpoint> next = Endpoint::parse(text.substr(text.rfind(' ') + 1));
    return next ? std::optional(*next) : std::nullopt;
  }

  Endpoint home_;
  std::map<std::string, Endpoint> owners_;  // of keys, as nodes told
  std::map<std::string, RedisLink> links_;
};

class RedisCluster final : public Store {
 public:
  RedisCluster(StoreSettings settings, std::size_t nodes)
      : settings_(std::move(settings)), nodes_(nodes) {}

  std::string description() const override {
    return fmt::format("Redis {} Cluster, {}, appendfsync {}",
                       version_of("redis-server", "--version"),
                       has_replicas() ? "a replica each" : "no replicas", fsync());
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override { return function != Function::remove; }
  /// Replication is asynchronous: where a replica can take over, nothing is promised.
  std::vector<std::string> claims(const Circumstances&) const override {
    if (has_replicas() || fsync() != "always") return {};
    return {"linearizable"};
  }
  /// A node has the keys of its own slots alone.
  bool reads_locally() const override { return false; }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    const std::vector<std::pair<std::string, std::string>> options = {
        {"port", std::to_string(kPort)},
        {"bind", "0.0.0.0"},
        {"protected-mode", "no"},
        {"dir", layout.data_directory},
        {"appendonly", "yes"},
        {"appendfsync", fsync()},
        {"save", ""},
        {"cluster-enabled", "yes"},
        {"cluster-node-timeout", "2000"},
        {"cluster-require-full-coverage", "no"},
        {"cluster-announce-ip", layout.own.host},
        {"repl-diskless-sync-delay", "0"}};
    Command server{find_program("redis-server"), {}};
    for (const auto& [name, value] : options)
      server.arguments.insert(server.arguments.end(), {"--" + name, value});
    return {server};
  }

  /// By redis-cli, which deals out slots and replicas.
  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    Command create{find_program("redis-cli"), {"--cluster", "create"}};
    for (const NodeLayout& node : nodes)
      create.arguments.push_back(fmt::format("{}:{}", node.own.host, kPort));
    create.arguments.insert(create.arguments.end(),
                            {"--cluster-replicas", has_replicas() ? "1" : "0", "--cluster-yes"});
    const std::string log = nodes.front().data_directory + "/create.log";
    Result<ChildProcess> process = ChildProcess::spawn(create, log);
    if (!process) return process.error();
    const auto status = process->wait(monotonic_now() + 30 * kSecond);
    if (!status || *status != 0)
      return store_error("redis-cli --cluster create did not make a cluster (log: " + log + ")");
    return await("every node to know the whole cluster", 20 * kSecond, [&] {
      return std::all_of(nodes.begin(), nodes.end(), [&](const NodeLayout& node) {
        const std::string text = redis_text(node.own.host, kPort, {"CLUSTER", "INFO"});
        return redis_field(text, "cluster_state") == "ok" &&
               redis_field(text, "cluster_known_nodes") == std::to_string(nodes.size());
      });
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const std::string text = redis_text(layout.own.host, kPort, {"INFO", "replication"});
    const std::string role = redis_field(text, "role");
    if (role.empty()) return std::nullopt;
    NodeStatus status;
    status.leads = role == "master";
    status.drained = status.leads || redis_field(text, "master_link_status") == "up";
    status.position = "each node has its own";
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    return make_blocking_clients(slots,
                                 [reached](std::size_t, std::size_t node, Nanos, std::string&) {
                                   return std::make_unique<ClusterConnection>(reached[node - 1]);
                                 });
  }

 private:
  bool has_replicas() const { return nodes_ >= kNodesOfReplicas; }
  std::string fsync() const { return setting(settings_, "appendfsync", "always"); }

  StoreSettings settings_;
  std::size_t nodes_;
};

}  // namespace

const std::vector<StoreSetting>& redis_cluster_settings() {
  static const std::vector<StoreSetting> settings = {{"appendfsync",
                                                      "always",
                                                      {"always", "everysec", "no"},
                                                      StoreSetting::Kind::choice,
                                                      "redis-cluster",
                                                      "when the log is synced"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_redis_cluster(const StoreSettings& given, std::size_t nodes) {
  if (Status known = check_settings("redis-cluster", given, redis_cluster_settings()); !known)
    return known.error();
  if (nodes < 3) return usage_error("Redis Cluster needs at least three --nodes");
  return std::unique_ptr<Store>(std::make_unique<RedisCluster>(given, nodes));
}

}  // namespace consistory
