// NATS JetStream as a key-value store: a stream that keeps the last message of each subject, with
// as many replicas as there are nodes. Writes go to the stream's leader, reads too, or to any
// replica (direct). The sequence number of a message is the version of its value.
#include <fmt/format.h>
#include <nats/nats.h>

#include <fstream>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "harness/clients/login.h"
#include "harness/cluster/http_loop.h"
#include "harness/stores/settings.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 4222;
constexpr unsigned short kMonitorPort = 8222;
constexpr unsigned short kRoutePort = 6222;
constexpr const char* kStream = "KV_b";

std::string subject_of(const std::string& key) { return "$KV.b." + key; }

/// One connection to one server, which the library is told not to open again by itself.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(); }

  bool open(const Endpoint& node, Nanos timeout) {
    natsOptions* options = nullptr;
    natsOptions_Create(&options);
    natsOptions_SetURL(options, ("nats://" + node.text()).c_str());
    if (!login().user.empty())
      natsOptions_SetUserInfo(options, login().user.c_str(), login().password.c_str());
    natsOptions_SetAllowReconnect(options, false);
    natsOptions_SetIgnoreDiscoveredServers(options, true);
    natsOptions_SetTimeout(options, timeout / kMillisecond);
    jsOptions waiting;
    jsOptions_Init(&waiting);
    waiting.Wait = timeout / kMillisecond;
    const bool open = natsConnection_Connect(&connection_, options) == NATS_OK &&
                      natsConnection_JetStream(&stream_, connection_, &waiting) == NATS_OK;
    natsOptions_Destroy(options);
    if (!open) close();
    return open;
  }
  bool is_open() const {
    return connection_ != nullptr &&
           natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED;
  }
  void close() {
    jsCtx_Destroy(stream_);
    natsConnection_Destroy(connection_);
    stream_ = nullptr;
    connection_ = nullptr;
  }
  jsCtx* stream() const { return stream_; }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* stream_ = nullptr;
};

class NatsConnection final : public Connection {
 public:
  NatsConnection(Endpoint node, bool direct) : node_(std::move(node)), direct_(direct) {}

  Completion perform(const ClientRequest& request) override {
    if (!session_.is_open()) {
      session_.close();
      if (!session_.open(node_, request.timeout)) return failed("no-connection");
    }
    switch (request.invocation.function) {
      case Function::write:
        return publish(request, nullptr);
      case Function::cas:
        return swap(request);
      default:
        return read(request, direct_);
    }
  }
  bool broken() const override { return false; }

 private:
  Completion read(const ClientRequest& request, bool direct) {
    const std::string subject = subject_of(request.invocation.key);
    natsMsg* message = nullptr;
    jsErrCode code{};
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = request.timeout / kMillisecond;
    natsStatus status = NATS_OK;
    if (direct) {
      jsDirectGetMsgOptions last;
      jsDirectGetMsgOptions_Init(&last);
      last.LastBySubject = subject.c_str();
      status = js_DirectGetMsg(&message, session_.stream(), kStream, &options, &last);
    } else {
      status =
          js_GetLastMsg(&message, session_.stream(), kStream, subject.c_str(), &options, &code);
    }
    Completion completion;
    completion.version = 0;
    if (status == NATS_NOT_FOUND) {
      completion.outcome = Outcome::ok;
      return completion;
    }
    if (status != NATS_OK) return unknown(natsStatus_GetText(status));
    completion.outcome = Outcome::ok;
    const std::string text(natsMsg_GetData(message),
                           static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    completion.value = value_of_text(text);
    completion.version = static_cast<std::int64_t>(natsMsg_GetSequence(message));
    natsMsg_Destroy(message);
    return completion;
  }

  /// `expected`: the sequence number of the subject's last message, if it has to be that.
  Completion publish(const ClientRequest& request, const std::int64_t* expected) {
    const std::string subject = subject_of(request.invocation.key);
    const std::string value = text_of(request.invocation.value);
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = request.timeout / kMillisecond;
    if (expected != nullptr) options.ExpectLastSubjectSeq = static_cast<std::uint64_t>(*expected);
    jsPubAck* acknowledged = nullptr;
    jsErrCode code{};
    const natsStatus status =
        js_Publish(&acknowledged, session_.stream(), subject.c_str(), value.data(),
                   static_cast<int>(value.size()), &options, &code);
    Completion completion;
    completion.outcome = Outcome::ok;
    if (status == NATS_OK) {
      completion.version = static_cast<std::int64_t>(acknowledged->Sequence);
      jsPubAck_Destroy(acknowledged);
      return completion;
    }
    // By the number, not by the value: it says nothing of the value.
    if (code == JSStreamWrongLastSequenceErr) return failed("wrong-last-sequence");
    return unknown(fmt::format("{} {}", natsStatus_GetText(status), static_cast<int>(code)));
  }

  Completion swap(const ClientRequest& request) {
    const Completion found = read(request, false);
    if (found.outcome != Outcome::ok) return failed("the value was not read");
    if (found.value == request.invocation.expected && *found.version > 0)
      return publish(request, &*found.version);
    Completion completion;
    completion.outcome = Outcome::ok;
    completion.swapped = false;
    completion.seen = found.value;
    return completion;
  }

  Endpoint node_;
  bool direct_;
  Session session_;
};

class Nats final : public Store {
 public:
  explicit Nats(StoreSettings settings) : settings_(std::move(settings)) { nats_Open(-1); }

  std::string description() const override {
    return fmt::format("NATS {} JetStream, {}", version_of("nats-server", "--version"),
                       is_direct() ? "direct reads" : "reads at the leader");
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override {
    return function == Function::read || function == Function::write || function == Function::cas;
  }
  std::vector<std::string> claims(const Circumstances&) const override { return {}; }
  /// A direct read is answered by whichever replica comes first.
  bool reads_locally() const override { return false; }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }
  Nanos start_timeout() const override { return 30 * kSecond; }

  std::vector<Command> preparation(const NodeLayout& layout) const override {
    std::vector<std::string> routes;
    for (const Endpoint& peer : layout.peers) {
      if (peer.host != layout.own.host)
        routes.push_back(fmt::format("nats://{}:{}", peer.host, kRoutePort));
    }
    std::ofstream(file_of(layout)) << fmt::format(
        "server_name: n{}\nlisten: {}:{}\nhttp: {}:{}\n"
        "jetstream {{ store_dir: \"{}\", max_mem: 64MB, max_file: 1GB }}\n"
        "cluster {{ name: c, listen: {}:{}, routes: [{}] }}\n",
        layout.number, layout.own.host, kPort, layout.own.host, kMonitorPort, layout.data_directory,
        layout.own.host, kRoutePort, join(routes, ", "));
    return {};
  }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    return {{find_program("nats-server"), {"-c", file_of(layout)}}};
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    return await("JetStream to take the stream", 30 * kSecond, [&] {
      Session session;
      if (!session.open(nodes[0].own, 2 * kSecond)) return false;
      jsStreamConfig config;
      jsStreamConfig_Init(&config);
      const char* subjects[] = {"$KV.b.>"};
      config.Name = kStream;
      config.Subjects = subjects;
      config.SubjectsLen = 1;
      config.MaxMsgsPerSubject = 1;
      config.Replicas = static_cast<std::int64_t>(nodes.size());
      config.AllowDirect = true;
      jsErrCode code{};
      return js_AddStream(nullptr, session.stream(), &config, nullptr, &code) == NATS_OK;
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const std::string url = fmt::format("http://{}:{}/", layout.own.host, kMonitorPort);
    const Json all =
        parse_untrusted(http_exchange({url + "jsz?accounts=1&streams=1", "", kSecond}).body);
    if (!all.is_object()) return std::nullopt;
    NodeStatus status;
    try {
      const Json& stream = all.at(Json::json_pointer("/account_details/0/stream_detail/0"));
      const Json& cluster = stream.at("cluster");
      status.leads = cluster.value("leader", Json()) == fmt::format("n{}", layout.number);
      status.drained = cluster.contains("leader");
      status.position = stream.at("state").at("last_seq").dump();
    } catch (const Json::exception&) {  // it has no stream yet
    }
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    return make_blocking_clients(
        slots, [reached, direct = is_direct()](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<NatsConnection>(reached[node - 1], direct);
        });
  }

 private:
  bool is_direct() const { return setting(settings_, "reads", "leader") == "direct"; }
  static std::string file_of(const NodeLayout& layout) {
    return layout.data_directory + "/nats.conf";
  }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& nats_settings() {
  static const std::vector<StoreSetting> settings = {
      {"reads",
       "leader",
       {"leader", "direct"},
       StoreSetting::Kind::choice,
       "nats",
       "reads are of the stream's leader, or of any replica"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_nats(const StoreSettings& given, std::size_t) {
  if (Status known = check_settings("nats", given, nats_settings()); !known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Nats>(given));
}

}  // namespace consistory
