// etcd (Raft), by its JSON gateway. Reads are linearizable, or serializable: of the node's own
// copy. The revision at which a key was last changed is the version of its value.
#include <fmt/format.h>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "harness/cluster/http_loop.h"
#include "harness/stores/installed.h"
#include "harness/stores/settings.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kClientPort = 2379;
constexpr unsigned short kPeerPort = 2380;

std::string base_url(const Endpoint& node) { return "http://" + node.text(); }

/// etcd writes 64-bit numbers as strings, and leaves out zeros.
std::int64_t number(const Json& object, const char* name) {
  const Json value = object.is_object() ? object.value(name, Json()) : Json();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return value.is_string() ? std::strtoll(value.get<std::string>().c_str(), nullptr, 10) : 0;
}

Json member(const Json& object, const char* name) {
  return object.is_object() ? object.value(name, Json()) : Json();
}

class Etcd final : public Store, public HttpProtocol {
 public:
  explicit Etcd(StoreSettings settings) : settings_(std::move(settings)) {}

  std::string description() const override {
    return fmt::format("etcd {}, {} reads", version_of("etcd", "--version"), reads());
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }

  bool supports(Function function) const override {
    return function == Function::read || function == Function::write || function == Function::cas;
  }
  /// A node that was killed may come back without what it has served from its own copy, so that
  /// serializable reads promise nothing to a session.
  std::vector<std::string> claims(const Circumstances&) const override {
    if (reads() == "linearizable") return {"linearizable", "eventual"};
    return {"eventual"};
  }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kClientPort; }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    const auto url = [](const std::string& host, unsigned short port) {
      return fmt::format("http://{}:{}", host, port);
    };
    std::vector<std::string> cluster;
    for (std::size_t i = 0; i < layout.peers.size(); ++i)
      cluster.push_back(fmt::format("n{}={}", i + 1, url(layout.peers[i].host, kPeerPort)));
    const std::string& host = layout.own.host;
    return {{find_program("etcd"),
             {"--name",
              fmt::format("n{}", layout.number),
              "--data-dir",
              layout.data_directory + "/etcd",
              "--listen-client-urls",
              url(host, kClientPort),
              "--advertise-client-urls",
              url(host, kClientPort),
              "--listen-peer-urls",
              url(host, kPeerPort),
              "--initial-advertise-peer-urls",
              url(host, kPeerPort),
              "--initial-cluster",
              join(cluster, ","),
              "--initial-cluster-state",
              "new",
              "--initial-cluster-token",
              "consistory",
              "--heartbeat-interval",
              "100",
              "--election-timeout",
              "1000",
              "--pre-vote",
              "--enable-v2=false"}}};
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    return await("etcd to have a leader", 20 * kSecond, [&] {
      for (const NodeLayout& node : nodes) {
        const Json health =
            parse_untrusted(http_exchange({base_url(node.own) + "/health", "", kSecond}).body);
        if (member(health, "health") != "true") return false;
      }
      return true;
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const HttpAnswer answer =
        http_exchange({base_url(layout.own) + "/v3/maintenance/status", "{}", kSecond});
    const Json body = parse_untrusted(answer.body);
    if (answer.status != 200 || !body.is_object()) return std::nullopt;
    const Json header = member(body, "header");
    NodeStatus status;
    status.drained = number(body, "raftIndex") == number(body, "raftAppliedIndex");
    status.position = std::to_string(number(header, "revision"));
    status.leads = member(body, "leader") == member(header, "member_id");
    status.term = number(body, "raftTerm");
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    std::vector<std::string> urls;
    for (const Endpoint& node : reached) urls.push_back(base_url(node));
    return make_http_clients(slots, std::move(urls), *this);
  }

  HttpRequest encode(const ClientRequest& request, const std::string& url) const override {
    const Invocation& invocation = request.invocation;
    const std::string key = base64_of(invocation.key);
    const std::string value = base64_of(text_of(invocation.value));
    if (invocation.function == Function::write)
      return {url + "/v3/kv/put", Json{{"key", key}, {"value", value}}.dump()};
    if (invocation.function == Function::read) {
      const bool local = request.local || reads() == "serializable";
      return {url + "/v3/kv/range", Json{{"key", key}, {"serializable", local}}.dump()};
    }
    const Json compare{{"target", "VALUE"},
                       {"key", key},
                       {"value", base64_of(text_of(invocation.expected))},
                       {"result", "EQUAL"}};
    const Json put{{"requestPut", {{"key", key}, {"value", value}}}};
    const Json range{{"requestRange", {{"key", key}}}};
    return {url + "/v3/kv/txn", Json{{"compare", Json::array({compare})},
                                     {"success", Json::array({put})},
                                     {"failure", Json::array({range})}}
                                    .dump()};
  }

  /// No error of the gateway proves that an update will not be done after all, but one: that the
  /// request was not understood.
  Completion decode(const ClientRequest& request, const HttpAnswer& answer) const override {
    const Json body = parse_untrusted(answer.body);
    if (answer.status != 200 || !body.is_object()) {
      const std::string error = fmt::format("http-{}", answer.status);
      return answer.status == 400 ? failed(error) : unknown(error);
    }
    Completion completion;
    completion.outcome = Outcome::ok;
    if (request.invocation.function == Function::read) {
      read_pair(member(body, "kvs"), completion.value, completion.version);
      return completion;
    }
    completion.version = number(member(body, "header"), "revision");
    if (request.invocation.function == Function::write || member(body, "succeeded") == true)
      return completion;
    completion.swapped = false;
    completion.seen.emplace();
    const Json responses = member(body, "responses");
    const Json range = responses.is_array() && !responses.empty()
                           ? member(responses[0], "response_range")
                           : Json();
    read_pair(member(range, "kvs"), *completion.seen, completion.version);
    return completion;
  }

 private:
  std::string reads() const { return setting(settings_, "reads", "linearizable"); }

  static void read_pair(const Json& pairs, Value& value, std::optional<std::int64_t>& version) {
    version = 0;
    if (!pairs.is_array() || pairs.empty()) return;
    const Json text = member(pairs[0], "value");
    value = value_of_text(from_base64(text.is_string() ? text.get<std::string>() : ""));
    version = number(pairs[0], "mod_revision");
  }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& etcd_settings() {
  static const std::vector<StoreSetting> settings = {
      {"reads",
       "linearizable",
       {"linearizable", "serializable"},
       StoreSetting::Kind::choice,
       "etcd",
       "reads go through the leader, or to the node's own copy"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_etcd(const StoreSettings& given, std::size_t) {
  if (Status known = check_settings("etcd", given, etcd_settings()); !known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Etcd>(given));
}

}  // namespace consistory
