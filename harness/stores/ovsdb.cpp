// OVSDB, the database of Open vSwitch, clustered by Raft, by JSON-RPC (RFC 7047). Updates go
// through the leader; a transaction that only reads is answered by the server itself from what it
// has. Every row counts its updates, which is the version of its value.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "harness/stores/settings.h"
#include "harness/stores/text_exchange.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 6641;
constexpr unsigned short kRaftPort = 6644;
constexpr const char* kSchema =
    R"({"name":"J","version":"1.0.0","tables":{"r":{"columns":{"k":{"type":"string"},)"
    R"("v":{"type":"string"},"n":{"type":"integer"}},"indexes":[["k"]],"isRoot":true}}})";

/// Errors of a transaction that was looked at and not done.
constexpr std::array<std::string_view, 4> kDefinite = {
    "constraint violation", "referential integrity violation", "not supported", "unknown database"};

/// One connection to one server. Now and then the server asks whether we are there.
class Rpc {
 public:
  bool open(const Endpoint& node, Nanos deadline) { return connection_.open(node, deadline); }
  bool is_open() const { return connection_.is_open(); }

  /// The results of a transaction's steps; nothing, and closed, if none come by then.
  std::optional<Json> transact(const std::string& database, Json steps, Nanos deadline) {
    steps.insert(steps.begin(), database);
    const Json request{{"method", "transact"}, {"params", std::move(steps)}, {"id", ++last_id_}};
    if (!connection_.send(request.dump(), deadline)) return std::nullopt;
    while (const auto document = connection_.receive_json(deadline)) {
      const Json message = parse_untrusted(*document);
      if (!message.is_object()) break;
      if (message.value("method", Json()) == "echo") {
        const Json answer{{"result", message.value("params", Json::array())},
                          {"error", nullptr},
                          {"id", message.value("id", Json())}};
        if (!connection_.send(answer.dump(), deadline)) return std::nullopt;
      } else if (message.value("id", Json()) == last_id_) {
        return message.value("result", Json::array());
      }
    }
    connection_.close();
    return std::nullopt;
  }

 private:
  TextConnection connection_;
  std::int64_t last_id_ = 0;
};

Json where(const std::string& key) { return Json::array({Json::array({"k", "==", key})}); }

Json select(const std::string& key) {
  return {{"op", "select"}, {"table", "r"}, {"where", where(key)}};
}

/// Sets the value, counts the update, and tells the count.
Json update(const std::string& key, const std::string& value) {
  return Json::array(
      {{{"op", "update"}, {"table", "r"}, {"where", where(key)}, {"row", {{"v", value}}}},
       {{"op", "mutate"},
        {"table", "r"},
        {"where", where(key)},
        {"mutations", Json::array({Json::array({"n", "+=", 1})})}},
       select(key)});
}

/// What went wrong in some step; empty: nothing.
std::string error_in(const Json& results) {
  for (const Json& result : results) {
    const Json error = result.is_object() ? result.value("error", Json()) : Json();
    if (error.is_string()) return error.get<std::string>();
  }
  return {};
}

/// Of the last step, a select.
Json row_of(const Json& results) {
  const Json rows = results.is_array() && !results.empty() && results.back().is_object()
                        ? results.back().value("rows", Json::array())
                        : Json::array();
  return rows.is_array() && !rows.empty() ? rows[0] : Json();
}

class OvsdbConnection final : public Connection {
 public:
  explicit OvsdbConnection(Endpoint node) : node_(std::move(node)) {}

  Completion perform(const ClientRequest& request) override {
    const Nanos deadline = monotonic_now() + request.timeout;
    if (!rpc_.is_open() && !rpc_.open(node_, deadline)) return failed("no-connection");
    const Invocation& invocation = request.invocation;
    const std::string value = text_of(invocation.value);
    if (invocation.function == Function::read)
      return ask(invocation, Json::array({select(invocation.key)}), deadline);
    if (invocation.function == Function::cas) {
      Json steps = update(invocation.key, value);
      steps.insert(steps.begin(), {{"op", "wait"},
                                   {"timeout", 0},
                                   {"table", "r"},
                                   {"where", where(invocation.key)},
                                   {"columns", Json::array({"v"})},
                                   {"until", "=="},
                                   {"rows", Json::array({{{"v", text_of(invocation.expected)}}})}});
      return ask(invocation, std::move(steps), deadline);
    }
    return write(invocation, value, deadline);
  }
  bool broken() const override { return false; }

 private:
  /// The first write of a key inserts its row. That the row is there already may be said of our
  /// own, by a server that did the transaction twice: then nobody knows.
  Completion write(const Invocation& invocation, const std::string& value, Nanos deadline) {
    const auto results = rpc_.transact("J", update(invocation.key, value), deadline);
    if (!results || !results->is_array()) return unknown("no-answer");
    if (!row_of(*results).is_null() || !error_in(*results).empty())
      return completion_of(invocation, *results);
    const Json insert{
        {"op", "insert"}, {"table", "r"}, {"row", {{"k", invocation.key}, {"v", value}, {"n", 1}}}};
    const auto inserted =
        rpc_.transact("J", Json::array({insert, select(invocation.key)}), deadline);
    if (!inserted || !inserted->is_array() || error_in(*inserted) == "constraint violation")
      return unknown("insert-unknown");
    return completion_of(invocation, *inserted);
  }

  Completion ask(const Invocation& invocation, Json steps, Nanos deadline) {
    const auto results = rpc_.transact("J", std::move(steps), deadline);
    return results ? completion_of(invocation, *results) : unknown("no-answer");
  }

  static Completion completion_of(const Invocation& invocation, const Json& results) {
    const std::string error = error_in(results);
    Completion completion;
    completion.outcome = Outcome::ok;
    if (error == "timed out" && invocation.function == Function::cas) {
      completion.swapped = false;
      return completion;
    }
    if (!error.empty()) {
      const bool definite = std::find(kDefinite.begin(), kDefinite.end(), error) != kDefinite.end();
      return definite ? failed(error) : unknown(error);
    }
    if (!results.is_array()) return unknown("unexpected-answer");
    const Json row = row_of(results);
    completion.version = 0;
    if (!row.is_object()) return completion;
    const Json count = row.value("n", Json()), text = row.value("v", Json());
    if (count.is_number_integer()) completion.version = count.get<std::int64_t>();
    if (invocation.function == Function::read && text.is_string())
      completion.value = value_of_text(text.get<std::string>());
    return completion;
  }

  Endpoint node_;
  Rpc rpc_;
};

class Ovsdb final : public Store {
 public:
  explicit Ovsdb(StoreSettings settings) : settings_(std::move(settings)) {}

  std::string description() const override {
    return fmt::format("OVSDB {}, reads at the node itself",
                       version_of("ovsdb-server", "--version"));
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override {
    return function == Function::read || function == Function::write || function == Function::cas;
  }
  std::vector<std::string> claims(const Circumstances&) const override { return {"eventual"}; }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }
  bool starts_in_turn() const override { return true; }

  std::vector<Command> preparation(const NodeLayout& layout) const override {
    const std::string schema = layout.data_directory + "/j.ovsschema";
    std::ofstream(schema) << kSchema;
    const auto raft = [](const Endpoint& node) {
      return fmt::format("tcp:{}:{}", node.host, kRaftPort);
    };
    const std::string tool = find_program("ovsdb-tool"), file = layout.data_directory + "/db";
    if (layout.number == 1) return {{tool, {"create-cluster", file, schema, raft(layout.own)}}};
    return {{tool, {"join-cluster", file, "J", raft(layout.own), raft(layout.peers[0])}}};
  }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    return {{find_program("ovsdb-server"),
             {"--no-chdir", "--unixctl=" + layout.data_directory + "/ctl",
              fmt::format("--remote=ptcp:{}:{}", kPort, layout.own.host),
              layout.data_directory + "/db"}}};
  }

  /// What the server says of the database in a database of its own.
  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const Nanos deadline = monotonic_now() + kSecond;
    Rpc rpc;
    if (!rpc.open(layout.own, deadline)) return std::nullopt;
    const Json is_ours = Json::array({Json::array({"name", "==", "J"})});
    const auto results = rpc.transact(
        "_Server", Json::array({{{"op", "select"}, {"table", "Database"}, {"where", is_ours}}}),
        deadline);
    const Json row = results ? row_of(*results) : Json();
    if (!row.is_object()) return std::nullopt;
    NodeStatus status;
    status.drained = row.value("connected", Json()) == true;
    status.leads = row.value("leader", Json()) == true;
    status.position = row.value("index", Json()).dump();
    return status;
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    return await("the servers to be one cluster", 20 * kSecond, [&] {
      return std::all_of(nodes.begin(), nodes.end(), [&](const NodeLayout& node) {
        const auto now = status(node);
        return now && now->drained;
      });
    });
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    return make_blocking_clients(slots,
                                 [reached](std::size_t, std::size_t node, Nanos, std::string&) {
                                   return std::make_unique<OvsdbConnection>(reached[node - 1]);
                                 });
  }

 private:
  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& ovsdb_settings() {
  static const std::vector<StoreSetting> none;
  return none;
}

Result<std::unique_ptr<Store>> make_ovsdb(const StoreSettings& given, std::size_t) {
  if (Status known = check_settings("ovsdb", given, ovsdb_settings()); !known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Ovsdb>(given));
}

}  // namespace consistory
