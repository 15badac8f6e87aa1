// A cluster of Maelstrom nodes, unchanged: programs that speak Maelstrom's protocol on standard
// input and output, in one of its workloads. Each runs under a host of ours
// (harness/maelstrom/host.h).
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

/// One of Maelstrom's workloads: what its nodes are asked and answer.
struct Serves {
  std::string_view name;
  std::vector<Function> functions;  ///< none: transactions
  std::string_view claims;
  std::string_view adds = {};  ///< what an addition is called, and its field
  std::string_view addition = {};
  std::string_view contents = "value";  ///< the field that a read answers with
  bool has_keys() const { return adds.empty(); }
};

const std::vector<Serves>& all_served() {
  using enum Function;
  static const std::vector<Serves> rows = {
      {"lin-kv", {read, write, cas}, "linearizable"},
      {"g-set", {read, add}, "strong-eventual", "add", "element"},
      {"broadcast", {read, add}, "strong-eventual", "broadcast", "message", "messages"},
      {"g-counter", {read, increment}, "strong-eventual", "add", "delta"},
      {"pn-counter", {read, increment}, "strong-eventual", "add", "delta"},
      {"txn-list-append", {}, "strict-serializable"},
  };
  return rows;
}

class MaelstromConnection final : public Connection {
 public:
  MaelstromConnection(Endpoint node, const Serves& serves)
      : node_(std::move(node)), serves_(serves) {}

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
  Json body_of(const Invocation& invocation) const {
    if (!invocation.steps.empty()) return transaction_of(invocation.steps);
    if (invocation.function == Function::read && !serves_.has_keys()) return {{"type", "read"}};
    if (!serves_.has_keys())
      return {{"type", serves_.adds},
              {std::string(serves_.addition), json_from_value(invocation.value)}};
    Json body{{"type", name_of(invocation.function)}, {"key", invocation.key}};
    if (invocation.function == Function::write) body["value"] = json_from_value(invocation.value);
    if (invocation.function == Function::cas) {
      body["from"] = json_from_value(invocation.expected);
      body["to"] = json_from_value(invocation.value);
    }
    return body;
  }

  static Json transaction_of(const std::vector<TransactionStep>& steps) {
    Json all = Json::array();
    for (const TransactionStep& step : steps)
      all.push_back({step.appends ? "append" : "r", step.key,
                     step.appends ? json_from_value(step.value) : Json()});
    return {{"type", "txn"}, {"txn", all}};
  }

  static std::vector<Value> values_in(const Json& array) {
    std::vector<Value> values;
    for (const Json& item : array) values.push_back(value_of_text(item.dump()));
    return values;
  }

  static void read_contents(const Json& contents, Completion& completion) {
    if (contents.is_array()) completion.elements = values_in(contents);
    else completion.value = value_of_text(contents.dump());
  }

  /// False if the answer is not the transaction that was asked for.
  static bool read_transaction(const Invocation& invocation, const Json& done,
                               Completion& completion) {
    if (!done.is_array() || done.size() != invocation.steps.size()) return false;
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i].is_array() || done[i].size() != 3) return false;
      if (invocation.steps[i].appends) continue;
      if (!done[i][2].is_array() && !done[i][2].is_null()) return false;
      completion.lists.push_back(values_in(done[i][2].is_null() ? Json::array() : done[i][2]));
    }
    return true;
  }

  std::string answer_to(const Invocation& invocation) const {
    if (!invocation.steps.empty()) return "txn_ok";
    const bool adds = invocation.function != Function::read && !serves_.has_keys();
    return std::string(adds ? serves_.adds : name_of(invocation.function)) + "_ok";
  }

  Completion completion_of(const Invocation& invocation, const Json& body) const {
    Completion completion;
    completion.outcome = Outcome::ok;
    if (!body.is_object()) return unknown("unexpected-answer");
    const Json type = body.value("type", Json()), number = body.value("code", Json());
    const int code = type == "error" && number.is_number_integer() ? number.get<int>() : -1;
    const bool reads = invocation.function == Function::read && invocation.steps.empty();
    if (type == answer_to(invocation)) {
      const Json contents = body.value(std::string(serves_.contents), Json());
      if (reads && !serves_.has_keys() && contents.is_null())
        return unknown(fmt::format("no {} in the answer", serves_.contents));
      if (reads) read_contents(contents, completion);
      const bool fits = invocation.steps.empty() ||
                        read_transaction(invocation, body.value("txn", Json()), completion);
      return fits ? completion : unknown("unexpected-answer");
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
  const Serves& serves_;
  TextConnection connection_;
  std::int64_t last_id_ = 0;
};

class Maelstrom final : public Store {
 public:
  Maelstrom(std::vector<std::string> command, const Serves& serves, StoreSettings settings)
      : command_(std::move(command)), serves_(serves), settings_(std::move(settings)) {}

  std::string description() const override {
    return fmt::format("Maelstrom nodes, {}: {}", serves_.name, join(command_, " "));
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override {
    const auto& known = serves_.functions;
    return std::find(known.begin(), known.end(), function) != known.end();
  }
  /// What the workload asks for.
  std::vector<std::string> claims(const Circumstances&) const override {
    return {std::string(serves_.claims)};
  }
  std::optional<std::vector<std::string>> isolation() const override {
    if (!serves_.functions.empty()) return std::nullopt;
    return std::vector<std::string>{std::string(serves_.claims)};
  }
  bool has_one_object() const override { return !serves_.has_keys(); }
  /// Whoever has no keys answers from what the node itself has.
  bool reads_locally() const override { return !serves_.has_keys(); }
  bool tells_when_drained() const override { return false; }
  bool needs_own_address() const override { return true; }
  Nanos start_timeout() const override { return 20 * kSecond; }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    std::vector<std::string> nodes;
    for (const Endpoint& node : layout.peers) nodes.push_back(node.text());
    Command host{own_executable(),
                 {"maelstrom-host", std::to_string(layout.number), join(nodes, ","),
                  std::string(serves_.name)}};
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
    return make_blocking_clients(
        slots, [this, reached](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<MaelstromConnection>(reached[node - 1], serves_);
        });
  }

 private:
  std::vector<std::string> command_;
  const Serves& serves_;
  StoreSettings settings_;
};

}  // namespace

namespace {

std::vector<std::string> names_of_served() {
  std::vector<std::string> names;
  for (const Serves& row : all_served()) names.emplace_back(row.name);
  return names;
}

}  // namespace

const std::vector<StoreSetting>& maelstrom_settings() {
  static const std::vector<StoreSetting> settings = {
      {"bin",
       "",
       {},
       StoreSetting::Kind::choice,
       "maelstrom",
       "The command of a node that speaks Maelstrom's protocol"},
      {"serves", "lin-kv", names_of_served(), StoreSetting::Kind::choice, "maelstrom",
       "Which of Maelstrom's workloads the nodes serve"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_maelstrom(const StoreSettings& given, std::size_t) {
  const Status known = check_settings("maelstrom", given, maelstrom_settings());
  if (!known) return known.error();
  std::vector<std::string> command = words_in(setting(given, "bin", ""));
  if (command.empty()) return usage_error("say which program a node is, as in --bin ./node.py");
  if (find_program(command.front()).empty())
    return environment_error(command.front() + " is no program that can be run");
  const auto serves = std::find_if(
      all_served().begin(), all_served().end(),
      [&](const Serves& row) { return row.name == setting(given, "serves", "lin-kv"); });
  return std::unique_ptr<Store>(std::make_unique<Maelstrom>(std::move(command), *serves, given));
}

}  // namespace consistory
