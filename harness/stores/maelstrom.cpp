// A cluster of Maelstrom nodes, unchanged: programs that speak Maelstrom's protocol on standard
// input and output (workload lin-kv: read, write and cas of registers). Each runs under a host of
// ours (harness/maelstrom/host.h).
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "harness/maelstrom/message_log.h"
#include "harness/stores/settings.h"
#include "harness/stores/text_exchange.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

/// Of the protocol's error codes all but these are definite; so are none that it does not name.
constexpr std::array<int, 8> kDefinite = {1, 10, 11, 12, 14, 20, 21, 30};
constexpr int kNoSuchKey = 20;
constexpr int kPreconditionFailed = 22;

class MaelstromConnection final : public Connection {
 public:
  explicit MaelstromConnection(Endpoint node) : node_(std::move(node)) {}

  Completion perform(const ClientRequest& request) override {
    const Nanos deadline = monotonic_now() + request.timeout;
    if (!connection_.is_open() && !connection_.open(node_, deadline))
      return failed("no-connection");
    const Json line{{"id", ++last_id_}, {"body", body_of(request.invocation)}};
    if (!connection_.send(line.dump() + "\n", deadline)) return unknown("connection-broken");
    while (const auto answered = connection_.receive_line(deadline)) {
      const Json answer = parse_untrusted(*answered);
      if (answer.is_object() && answer.value("id", Json()) == last_id_)
        return completion_of(request.invocation, answer.value("body", Json::object()));
    }
    return unknown("no-answer");
  }
  bool broken() const override { return false; }

 private:
  static Json body_of(const Invocation& invocation) {
    Json body{{"type", name_of(invocation.function)}, {"key", invocation.key}};
    if (invocation.function == Function::write) body["value"] = json_from_value(invocation.value);
    if (invocation.function == Function::cas) {
      body["from"] = json_from_value(invocation.expected);
      body["to"] = json_from_value(invocation.value);
    }
    return body;
  }

  static Completion completion_of(const Invocation& invocation, const Json& body) {
    Completion completion;
    completion.outcome = Outcome::ok;
    if (!body.is_object()) return unknown("unexpected-answer");
    const Json type = body.value("type", Json()), number = body.value("code", Json());
    const int code = type == "error" && number.is_number_integer() ? number.get<int>() : -1;
    const bool reads = invocation.function == Function::read;
    if (type == std::string(name_of(invocation.function)) + "_ok") {
      if (reads) completion.value = value_of_text(body.value("value", Json()).dump());
      return completion;
    }
    if (code == kNoSuchKey && reads) return completion;
    if (code == kPreconditionFailed && invocation.function == Function::cas) {
      completion.swapped = false;
      return completion;
    }
    const std::string error = type == "error" ? fmt::format("error-{}", code) : "unexpected-answer";
    const bool definite = std::find(kDefinite.begin(), kDefinite.end(), code) != kDefinite.end();
    return definite ? failed(error) : unknown(error);
  }

  Endpoint node_;
  TextConnection connection_;
  std::int64_t last_id_ = 0;
};

class Maelstrom final : public Store {
 public:
  Maelstrom(std::vector<std::string> command, StoreSettings settings)
      : command_(std::move(command)), settings_(std::move(settings)) {}

  std::string description() const override { return "Maelstrom nodes: " + join(command_, " "); }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override {
    return function == Function::read || function == Function::write || function == Function::cas;
  }
  /// What the workload lin-kv asks for.
  std::vector<std::string> claims(const Circumstances&) const override { return {"linearizable"}; }
  bool reads_locally() const override { return false; }
  bool tells_when_drained() const override { return false; }
  bool needs_own_address() const override { return true; }
  Nanos start_timeout() const override { return 20 * kSecond; }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    std::vector<std::string> nodes;
    for (const Endpoint& node : layout.peers) nodes.push_back(node.text());
    Command host{own_executable(),
                 {"maelstrom-host", std::to_string(layout.number), join(nodes, ",")}};
    host.arguments.insert(host.arguments.end(), command_.begin(), command_.end());
    return {host};
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const Nanos deadline = monotonic_now() + kSecond;
    TextConnection connection;
    const bool asked =
        connection.open(layout.own, deadline) && connection.send("{\"status\":true}\n", deadline);
    const auto line = asked ? connection.receive_line(deadline) : std::nullopt;
    const Json answer = line ? parse_untrusted(*line) : Json();
    const bool ready = answer.is_object() && answer.value("ready", Json()) == true;
    return ready ? std::optional(NodeStatus{}) : std::nullopt;
  }

  std::vector<Message> messages(const std::vector<std::string>& logs, Nanos origin) const override {
    return read_message_logs(logs, origin);
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    return make_blocking_clients(slots,
                                 [reached](std::size_t, std::size_t node, Nanos, std::string&) {
                                   return std::make_unique<MaelstromConnection>(reached[node - 1]);
                                 });
  }

 private:
  std::vector<std::string> command_;
  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& maelstrom_settings() {
  static const std::vector<StoreSetting> settings = {
      {"bin",
       "",
       {},
       StoreSetting::Kind::choice,
       "maelstrom",
       "The command of a node that speaks Maelstrom's protocol, workload lin-kv"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_maelstrom(const StoreSettings& given, std::size_t) {
  const Status known = check_settings("maelstrom", given, maelstrom_settings());
  if (!known) return known.error();
  std::vector<std::string> command = words_in(setting(given, "bin", ""));
  if (command.empty()) return usage_error("say which program a node is, as in --bin ./node.py");
  if (find_program(command.front()).empty())
    return environment_error(command.front() + " is no program that can be run");
  return std::unique_ptr<Store>(std::make_unique<Maelstrom>(std::move(command), given));
}

}  // namespace consistory
