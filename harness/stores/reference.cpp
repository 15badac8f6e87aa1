// The bundled reference store, reached by its HTTP API only (reference-store/PROTOCOL.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "harness/cluster/http_loop.h"
#include "harness/stores/reference_settings.h"
#include "harness/stores/truth_table.h"

namespace consistory {
namespace {

/// Errors after which the operation surely did not and never will take effect.
constexpr std::array<std::string_view, 9> kDefinite = {
    "unsupported", "wrong-type", "primary-unreachable", "peers-unreachable",   "no-read-quorum",
    "bad-request", "behind",     "no-leader",           "leadership-lost-read"};

/// The store's executable stands beside ours.
std::string executable() {
  return (std::filesystem::path(own_executable()).parent_path() / "consistory-reference-store")
      .string();
}

/// What a node sent; a value over the bound is told apart by being none that was written.
Value to_value(const Json& json) {
  Result<Value> value = value_from_json(json, "answer");
  return value ? std::move(*value) : Value::of(value.error().message);
}

class ReferenceStore final : public Store, public HttpProtocol {
 public:
  ReferenceStore(ReferenceSettings settings, StoreSettings given)
      : settings_(std::move(settings)), given_(std::move(given)) {}

  std::string description() const override { return "reference store, " + describe(settings_); }

  std::vector<std::string> arguments() const override { return words_of(given_); }

  bool supports(Function function) const override {
    const std::string& protocol = at("protocol");
    const bool decides = protocol == "primary" || protocol == "local-writes" || protocol == "raft";
    if (function == Function::cas) return decides;
    if (function == Function::append) return protocol != "quorum";
    return function == Function::read || function == Function::write ||
           function == Function::remove;
  }

  /// With a log that is not synced before an answer, nothing is promised.
  std::vector<std::string> claims(const Circumstances& now) const override {
    if (at("fsync") != "always") return {};
    if (now.clocks_move && at("reads") == "lease") return {"strong-eventual"};
    // The primary answers a cas; a later read of this node's own copy may not have seen it yet.
    const bool reads_behind = at("protocol") == "primary" && at("read-from") == "local";
    if (now.swaps && reads_behind) return {"strong-eventual"};
    if (const TruthCell* cell = find_cell(settings_, now.lists, now.sessions_move))
      return cell->guaranteed_models();
    return other_session_claims();
  }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    std::vector<std::string> peers;
    for (const Endpoint& peer : layout.peers) peers.push_back(peer.text());
    Command command{
        executable(),
        {"--node", std::to_string(layout.number), "--listen", layout.own.text(), "--peers",
         join(peers, ","), "--data", layout.data_directory, "--seed", std::to_string(layout.seed),
         "--clock-offset-file", clock_offset_file(layout)}};
    StoreSettings of_node;
    for (const auto& [name, value] : settings_) {
      if (name != "token" && !value.empty()) of_node.emplace_back(name, value);  // the clients' own
    }
    for (std::string& word : words_of(of_node)) command.arguments.push_back(std::move(word));
    return {command};
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const HttpAnswer answer =
        http_exchange({"http://" + layout.own.text() + "/status", "", kSecond});
    const Json body = parse_untrusted(answer.body);
    if (answer.status != 200 || !body.is_object()) return std::nullopt;
    if (!body.value("drained", Json()).is_boolean() ||
        !body.value("position", Json()).is_string()) {
      return std::nullopt;
    }
    const auto number = [&](const char* name) {
      const Json value = body.value(name, Json(0));
      return value.is_number_integer() ? value.get<std::int64_t>() : 0;
    };
    const Json role = body.value("role", Json());
    return NodeStatus{body["drained"].get<bool>(), body["position"].get<std::string>(),
                      role == "leader" || role == "primary", number("term"),
                      number("clock_offset_ms")};
  }

  std::string clock_offset_file(const NodeLayout& layout) const override {
    return layout.data_directory + "/clock-offset";
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    std::vector<std::string> urls;
    for (const Endpoint& node : reached) urls.push_back("http://" + node.text());
    return make_http_clients(slots, std::move(urls), *this);
  }

  HttpRequest encode(const ClientRequest& request, const std::string& base_url) const override {
    const Invocation& invocation = request.invocation;
    Json body{{"f", name_of(invocation.function)}, {"key", invocation.key}};
    if (invocation.function != Function::read) body["value"] = json_from_value(invocation.value);
    if (invocation.function == Function::cas)
      body["expected"] = json_from_value(invocation.expected);
    if (request.local) body["local"] = true;
    if (!request.token.empty() && at("token") == "on")
      body["token"] = parse_untrusted(request.token);
    return {base_url + "/op", body.dump(-1, ' ', false, Json::error_handler_t::replace), kSecond};
  }

  Completion decode(const ClientRequest& request, const HttpAnswer& answer) const override {
    const Json body = parse_untrusted(answer.body);
    const bool shaped =
        answer.status == 200 && body.is_object() && body.value("type", Json()).is_string();
    if (!shaped) return unknown(fmt::format("unexpected-answer-{}", answer.status));
    return decode_body(request.invocation, body);
  }

 private:
  const std::string& at(const std::string& name) const { return settings_.at(name); }

  /// Of a choice of session guarantees that is no row of the table: each on its own.
  std::vector<std::string> other_session_claims() const {
    if (at("token") == "off" || at("session").empty()) return {};
    std::vector<std::string> claims = {"strong-eventual"};
    const std::string session = "," + at("session") + ",";
    const bool by_wall = at("lww") == "wall";  // a clock that is behind stamps below what was seen
    for (const auto& [word, model] : {std::pair{",mr,", "monotonic-reads"},
                                      {",mw,", "monotonic-writes"},
                                      {",ryw,", "read-your-writes"},
                                      {",wfr,", "writes-follow-reads"}}) {
      const bool of_writes = std::string_view(word) == ",mw," || std::string_view(word) == ",wfr,";
      if (by_wall && of_writes) continue;
      if (session.find(word) != std::string::npos) claims.emplace_back(model);
    }
    return claims;
  }

  static Completion decode_body(const Invocation& invocation, const Json& body) {
    Completion completion;
    if (body["type"] != "ok") {
      completion.error =
          body.value("error", Json()).is_string() ? body["error"].get<std::string>() : "unknown";
      const bool definite =
          std::find(kDefinite.begin(), kDefinite.end(), completion.error) != kDefinite.end();
      completion.outcome = body["type"] == "fail" && definite ? Outcome::fail : Outcome::info;
      return completion;
    }
    completion.outcome = Outcome::ok;
    if (body.value("token", Json()).is_object()) completion.token = body["token"].dump();
    if (body.value("ver", Json()).is_number_integer())
      completion.version = body["ver"].get<std::int64_t>();
    if (body.value("swapped", Json()).is_boolean())
      completion.swapped = body["swapped"].get<bool>();
    const Json value = body.value("value", Json());
    if (invocation.function == Function::cas && !completion.swapped)
      completion.seen = to_value(value);
    if (invocation.function != Function::read) return completion;
    if (!value.is_array()) {
      completion.value = to_value(value);
      return completion;
    }
    completion.elements.emplace();
    for (const Json& element : value) completion.elements->push_back(to_value(element));
    return completion;
  }

  ReferenceSettings settings_;
  StoreSettings given_;
};

}  // namespace

Result<std::unique_ptr<Store>> make_reference_store(const StoreSettings& given, std::size_t nodes) {
  Result<ReferenceSettings> settings = complete_reference_settings(given, nodes);
  if (!settings) return settings.error();
  return std::unique_ptr<Store>(std::make_unique<ReferenceStore>(std::move(*settings), given));
}

}  // namespace consistory
