// Redis with replication and Sentinel. A session asks the sentinel of its node who the primary is,
// as clients of Redis do: updates go there, reads go there or to the node itself. No update is sent
// twice. Lists are Redis lists (RPUSH), so that every update of them shows.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/suggest.h"
#include "harness/stores/redis_link.h"
#include "harness/stores/settings.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 6379;
constexpr unsigned short kSentinelPort = 26379;

struct RedisOptions {
  bool read_at_primary = true;
  bool failover = true;
  int wait = 0;
  Endpoint first;  ///< the primary, where there are no sentinels
};

class RedisConnection final : public Connection {
 public:
  RedisConnection(Endpoint home, RedisOptions options)
      : home_(std::move(home)), options_(std::move(options)) {}

  Completion perform(const ClientRequest& request) override {
    const bool reads = request.invocation.function == Function::read;
    const bool at_home = reads && (request.local || !options_.read_at_primary);
    RedisLink& link = at_home ? home_link_ : primary_link_;
    if (!link.is_open()) {
      const auto where = at_home ? std::optional(home_) : find_primary(request.timeout);
      if (!where) return failed("no-primary-known");
      if (!link.open(where->host, where->port, request.timeout))
        return failed("connection-refused");
    }
    Completion completion = ask(link, request);
    // Whoever was the primary may be none any more: the next operation asks again.
    if (completion.outcome != Outcome::ok && !at_home) primary_link_.close();
    return completion;
  }
  bool broken() const override { return false; }  // links are opened again one by one

 private:
  std::optional<Endpoint> find_primary(Nanos timeout) {
    if (!options_.failover) return options_.first;
    RedisLink sentinel;
    if (!sentinel.open(home_.host, kSentinelPort, timeout, false)) return std::nullopt;
    const RedisReply reply = sentinel.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"});
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) return std::nullopt;
    Endpoint primary{text_of(reply->element[0]), 0};
    primary.port = static_cast<unsigned short>(std::atoi(text_of(reply->element[1]).c_str()));
    return primary;
  }

  Completion ask(RedisLink& link, const ClientRequest& request) const {
    const RedisReply reply = link.ask(redis_words(request.invocation));
    if (!reply) return unknown(link.trouble());
    Completion completion = redis_completion(request.invocation, *reply);
    const bool updated =
        completion.outcome == Outcome::ok && request.invocation.function != Function::read;
    if (updated && options_.wait > 0 && !enough_replicas(link, request.timeout))
      return unknown("too-few-replicas");
    return completion;
  }

  bool enough_replicas(RedisLink& link, Nanos timeout) const {
    const RedisReply reply =
        link.ask({"WAIT", std::to_string(options_.wait),
                  std::to_string(std::max<Nanos>(timeout / 2 / kMillisecond, 1))});
    return reply && reply->type == REDIS_REPLY_INTEGER && reply->integer >= options_.wait;
  }

  Endpoint home_;
  RedisOptions options_;
  RedisLink home_link_, primary_link_;
};

class Redis final : public Store {
 public:
  explicit Redis(StoreSettings settings) : settings_(std::move(settings)) {}

  std::string description() const override {
    return fmt::format("Redis {}, reads at the {}, {}, appendfsync {}",
                       version_of("redis-server", "--version"),
                       at("reads") == "primary" ? "primary" : "node itself",
                       has_failover() ? "failover by Sentinel" : "no failover", at("appendfsync"));
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override { return function != Function::remove; }

  /// Replication is asynchronous: with failover, what was acknowledged may be lost, and nothing is
  /// promised.
  std::vector<std::string> claims(const Circumstances&) const override {
    if (has_failover()) return {};
    if (at("reads") == "primary" && at("appendfsync") == "always")
      return {"linearizable", "eventual"};
    return {"eventual"};
  }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }

  std::vector<Command> preparation(const NodeLayout& layout) const override {
    std::ofstream(sentinel_file(layout))
        << "port " << kSentinelPort << "\nbind 0.0.0.0\nprotected-mode no\n"
        << "dir " << layout.data_directory << "\nsentinel monitor m " << layout.peers[0].host << ' '
        << kPort << ' ' << layout.peers.size() / 2 + 1
        << "\nsentinel down-after-milliseconds m 1000\nsentinel failover-timeout m 5000\n";
    return {};
  }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    Command server{find_program("redis-server"),
                   {"--port",
                    std::to_string(kPort),
                    "--bind",
                    "0.0.0.0",
                    "--protected-mode",
                    "no",
                    "--dir",
                    layout.data_directory,
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    at("appendfsync"),
                    "--save",
                    "",
                    "--repl-diskless-sync-delay",
                    "0",
                    "--repl-timeout",
                    "10",
                    "--repl-ping-replica-period",
                    "1",
                    "--min-replicas-to-write",
                    at("min-replicas"),
                    "--min-replicas-max-lag",
                    "2"}};
    if (layout.number > 1)
      server.arguments.insert(server.arguments.end(),
                              {"--replicaof", layout.peers[0].host + " " + std::to_string(kPort)});
    if (!has_failover()) return {server};
    return {server, {find_program("redis-server"), {sentinel_file(layout), "--sentinel"}}};
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    const Status synced = await("the replicas to have the primary's data", 20 * kSecond, [&] {
      return std::all_of(nodes.begin() + 1, nodes.end(), [](const NodeLayout& node) {
        return redis_field(info(node.own.host, kPort, "replication"), "master_link_status") == "up";
      });
    });
    if (!synced || !has_failover()) return synced;
    const std::string all = fmt::format("slaves={},sentinels={}", nodes.size() - 1, nodes.size());
    return await("the sentinels to know each other", 30 * kSecond, [&] {
      return std::all_of(nodes.begin(), nodes.end(), [&](const NodeLayout& node) {
        return info(node.own.host, kSentinelPort, "sentinel").find(all) != std::string::npos;
      });
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const std::string text = info(layout.own.host, layout.own.port, "replication");
    const std::string role = redis_field(text, "role");
    if (role.empty()) return std::nullopt;
    NodeStatus status;
    status.leads = role == "master";
    status.drained = status.leads || redis_field(text, "master_link_status") == "up";
    status.position = redis_field(text, "master_repl_offset");
    status.term = std::atoll(redis_field(text, "connected_slaves").c_str());
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    const RedisOptions options{at("reads") == "primary", has_failover(),
                               std::atoi(at("wait").c_str()), reached.front()};
    return make_blocking_clients(
        slots, [reached, options](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<RedisConnection>(reached[node - 1], options);
        });
  }

 private:
  std::string at(std::string_view name) const {
    for (const StoreSetting& known : redis_settings()) {
      if (known.name == name) return setting(settings_, name, known.fallback);
    }
    return {};
  }
  bool has_failover() const { return at("failover") == "on"; }

  static std::string sentinel_file(const NodeLayout& layout) {
    return layout.data_directory + "/sentinel.conf";
  }

  static std::string info(const std::string& host, unsigned short port, const char* section) {
    return redis_text(host, port, {"INFO", section});
  }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& redis_settings() {
  using Kind = StoreSetting::Kind;
  static const std::vector<StoreSetting> settings = {
      {"reads",
       "primary",
       {"primary", "local"},
       Kind::choice,
       "redis",
       "reads go to the primary, or to the session's node"},
      {"failover", "on", {"on", "off"}, Kind::choice, "redis", "by Sentinel, one on each node"},
      {"appendfsync",
       "always",
       {"always", "everysec", "no"},
       Kind::choice,
       "redis",
       "when the log is synced"},
      {"wait", "0", {}, Kind::number, "redis", "replicas that must have an update (WAIT)"},
      {"min-replicas",
       "0",
       {},
       Kind::number,
       "redis",
       "replicas without which the primary refuses updates"},
  };
  return settings;
}

Result<std::unique_ptr<Store>> make_redis(const StoreSettings& given, std::size_t) {
  if (Status known = check_settings("redis", given, redis_settings()); !known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Redis>(given));
}

}  // namespace consistory
