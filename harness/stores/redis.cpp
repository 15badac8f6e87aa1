// Redis with replication and Sentinel. A session asks the sentinel of its node who the primary is,
// as clients of Redis do: updates go there, reads go there or to the node itself. No update is sent
// twice. Lists are Redis lists (RPUSH), so that every update of them shows.
#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/escape.h"
#include "base/suggest.h"
#include "harness/stores/settings.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 6379;
constexpr unsigned short kSentinelPort = 26379;
constexpr const char* kCas =
    "local v = redis.call('get', KEYS[1]) "
    "if v == ARGV[1] then redis.call('set', KEYS[1], ARGV[2]) return {1} end return {0, v}";

/// Errors that Redis sends instead of doing what it was asked.
constexpr std::array<std::string_view, 11> kDefinite = {
    "READONLY", "MASTERDOWN", "LOADING",   "NOREPLICAS", "CLUSTERDOWN", "MOVED",
    "MISCONF",  "OOM",        "WRONGTYPE", "ERR",        "TRYAGAIN"};

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

std::string text_of(const redisReply* reply) {
  return reply != nullptr && reply->str != nullptr ? std::string(reply->str, reply->len)
                                                   : std::string();
}

timeval timeval_of(Nanos span) {
  return {static_cast<time_t>(span / kSecond), static_cast<suseconds_t>(span % kSecond / 1000)};
}

/// One connection to one server.
class Link {
 public:
  bool open(const std::string& host, unsigned short port, Nanos timeout) {
    context_.reset(redisConnectWithTimeout(host.c_str(), port, timeval_of(timeout)));
    if (context_ == nullptr || context_->err != 0) {
      context_.reset();
      return false;
    }
    redisSetTimeout(context_.get(), timeval_of(timeout));
    return true;
  }
  bool is_open() const { return context_ != nullptr; }
  void close() { context_.reset(); }

  /// Nothing, and closed, if there is no answer.
  Reply ask(const std::vector<std::string>& words) {
    std::vector<const char*> pointers;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      pointers.push_back(word.data());
      sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(redisCommandArgv(
        context_.get(), static_cast<int>(words.size()), pointers.data(), sizes.data())));
    if (!reply) {
      trouble_ = context_->err == REDIS_ERR_IO ? "timeout" : context_->errstr;
      close();
    }
    return reply;
  }
  const std::string& trouble() const { return trouble_; }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
  std::string trouble_;
};

/// "role:master" of INFO: what stands behind the name.
std::string field(const std::string& info, const std::string& name) {
  const std::size_t at = info.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

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
    Link& link = at_home ? home_link_ : primary_link_;
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
    Link sentinel;
    if (!sentinel.open(home_.host, kSentinelPort, timeout)) return std::nullopt;
    const Reply reply = sentinel.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"});
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) return std::nullopt;
    Endpoint primary{text_of(reply->element[0]), 0};
    primary.port = static_cast<unsigned short>(std::atoi(text_of(reply->element[1]).c_str()));
    return primary;
  }

  static std::vector<std::string> words_for(const Invocation& invocation) {
    const std::string& key = invocation.key;
    switch (invocation.function) {
      case Function::write:
        return {"SET", key, consistory::text_of(invocation.value)};
      case Function::append:
        return {"RPUSH", key, consistory::text_of(invocation.value)};
      case Function::cas:
        return {"EVAL",
                kCas,
                "1",
                key,
                consistory::text_of(invocation.expected),
                consistory::text_of(invocation.value)};
      default:
        return invocation.list ? std::vector<std::string>{"LRANGE", key, "0", "-1"}
                               : std::vector<std::string>{"GET", key};
    }
  }

  Completion ask(Link& link, const ClientRequest& request) const {
    const Reply reply = link.ask(words_for(request.invocation));
    if (!reply) return unknown(link.trouble());
    if (reply->type == REDIS_REPLY_ERROR) {
      const std::string error = text_of(reply.get());
      const std::string word = error.substr(0, error.find(' '));
      const bool definite = std::find(kDefinite.begin(), kDefinite.end(), word) != kDefinite.end();
      return definite ? failed(word) : unknown(shorten(escape_terminal(error), 80));
    }
    if (request.invocation.function == Function::read) return read_of(*reply);
    if (options_.wait > 0 && !enough_replicas(link, request.timeout))
      return unknown("too-few-replicas");
    Completion completion;
    completion.outcome = Outcome::ok;
    if (request.invocation.function == Function::cas && reply->type == REDIS_REPLY_ARRAY) {
      completion.swapped = reply->elements > 0 && reply->element[0]->integer == 1;
      if (!completion.swapped)
        completion.seen = reply->elements > 1 ? value_of(*reply->element[1]) : Value::nil();
    }
    return completion;
  }

  bool enough_replicas(Link& link, Nanos timeout) const {
    const Reply reply = link.ask({"WAIT", std::to_string(options_.wait),
                                  std::to_string(std::max<Nanos>(timeout / 2 / kMillisecond, 1))});
    return reply && reply->type == REDIS_REPLY_INTEGER && reply->integer >= options_.wait;
  }

  static Value value_of(const redisReply& reply) {
    return reply.type == REDIS_REPLY_STRING ? value_of_text(text_of(&reply)) : Value::nil();
  }

  static Completion read_of(const redisReply& reply) {
    Completion completion;
    completion.outcome = Outcome::ok;
    if (reply.type != REDIS_REPLY_ARRAY) {
      completion.value = value_of(reply);
      return completion;
    }
    completion.elements.emplace();
    for (std::size_t i = 0; i < reply.elements; ++i)
      completion.elements->push_back(value_of(*reply.element[i]));
    return completion;
  }

  Endpoint home_;
  RedisOptions options_;
  Link home_link_, primary_link_;
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
        return field(info(node.own.host, kPort, "replication"), "master_link_status") == "up";
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
    const std::string role = field(text, "role");
    if (role.empty()) return std::nullopt;
    NodeStatus status;
    status.leads = role == "master";
    status.drained = status.leads || field(text, "master_link_status") == "up";
    status.position = field(text, "master_repl_offset");
    status.term = std::atoll(field(text, "connected_slaves").c_str());
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
    Link link;
    if (!link.open(host, port, kSecond)) return {};
    const Reply reply = link.ask({"INFO", section});
    return reply && reply->type == REDIS_REPLY_STRING ? "\n" + text_of(reply.get()) : std::string();
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
