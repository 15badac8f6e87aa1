// The bundled reference store, reached by its HTTP API only (reference-store/PROTOCOL.md).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "harness/stores/store.h"

namespace consistory {
namespace {

/// Errors after which the operation surely did not and never will take effect.
constexpr std::array<std::string_view, 6> kDefinite = {
    "unsupported", "wrong-type", "primary-unreachable", "no-read-quorum", "bad-request", "behind"};

struct Setting {
  const char* name;
  const char* fallback;
  std::vector<std::string> allowed;  // empty: a number
};

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = {
      {"protocol", "primary", {"primary", "quorum", "eventual", "causal"}},
      {"propagation", "sync", {"sync", "async"}},
      {"read-from", "primary", {"primary", "local"}},
      {"R", "", {}},
      {"W", "", {}},
      {"unsafe-quorum", "off", {"off", "on"}},
      {"fsync", "on", {"on", "off"}},
      {"disk", "real", {"real", "volatile"}},
      {"lazy-delay", "100", {}},
      {"conflicts", "converge", {"converge", "arrival"}},
      {"token", "on", {"on", "off"}},
  };
  return table;
}

/// The store's executable stands beside ours.
std::string executable() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::filesystem::path self(
      std::string(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0));
  return (self.parent_path() / "consistory-reference-store").string();
}

/// What a node sent; a value over the bound is told apart by being none that was written.
Value to_value(const Json& json) {
  Result<Value> value = value_from_json(json, "answer");
  return value ? std::move(*value) : Value::of(value.error().message);
}

class ReferenceStore final : public Store {
 public:
  ReferenceStore(std::map<std::string, std::string> settings, StoreSettings given)
      : settings_(std::move(settings)), given_(std::move(given)) {}

  std::string description() const override {
    const std::string& protocol = at("protocol");
    if (protocol == "quorum")
      return fmt::format("reference store, quorum, R={} W={}", at("R"), at("W"));
    if (protocol == "eventual") return "reference store, eventual";
    if (protocol == "causal")
      return fmt::format("reference store, causal, {}, {} tokens",
                         at("conflicts") == "converge" ? "last writer wins" : "order of arrival",
                         at("token") == "on" ? "with" : "without");
    return fmt::format("reference store, primary, {} propagation, {} reads", at("propagation"),
                       at("read-from"));
  }

  std::vector<std::string> arguments() const override {
    std::vector<std::string> words;
    for (const auto& [name, value] : given_) {
      if (name == "unsafe-quorum") {
        if (value == "on") words.emplace_back("--unsafe-quorum");
        continue;
      }
      words.push_back((name.size() == 1 ? "-" : "--") + name);
      words.push_back(value);
    }
    return words;
  }

  bool supports(Function function) const override {
    if (at("protocol") == "primary") return true;
    if (function == Function::append)
      return at("protocol") == "eventual" || at("protocol") == "causal";
    return function != Function::cas;
  }

  /// Known from theory; reference-store/PROTOCOL.md argues each line.
  std::vector<std::string> claims(bool, bool sessions_move) const override {
    const std::string& protocol = at("protocol");
    if (at("fsync") == "off") return {};  // a planted defect: nothing is promised
    if (protocol == "quorum") {
      if (at("unsafe-quorum") == "on") return {"eventual"};
      return {"read-your-writes", "eventual"};
    }
    if (protocol == "eventual") return {"strong-eventual"};
    if (protocol == "causal")
      return causal_claims(sessions_move && at("token") == "off", sessions_move);
    if (at("read-from") == "primary") return {"linearizable", "eventual"};
    if (at("propagation") == "sync") {
      if (!sessions_move) return {"sequential", "eventual"};
      return {"monotonic-writes+read-your-writes+writes-follow-reads", "eventual"};
    }
    if (!sessions_move) return {"monotonic-reads+monotonic-writes+writes-follow-reads", "eventual"};
    return {"monotonic-writes+writes-follow-reads", "eventual"};
  }

  Command command(const NodeLayout& layout) const override {
    std::vector<std::string> peers;
    for (const unsigned short port : layout.peer_ports)
      peers.push_back(fmt::format("127.0.0.1:{}", port));
    Command command{executable(),
                    {"--node", std::to_string(layout.number), "--listen",
                     fmt::format("127.0.0.1:{}", layout.port), "--peers", join(peers, ","),
                     "--data", layout.data_directory, "--seed", std::to_string(layout.seed)}};
    for (const auto& [name, value] : settings_) {
      if (name == "token") continue;  // the clients' affair
      if (name == "unsafe-quorum") {
        if (value == "on") command.arguments.emplace_back("--unsafe-quorum");
        continue;
      }
      command.arguments.push_back((name.size() == 1 ? "-" : "--") + name);
      command.arguments.push_back(value);
    }
    return command;
  }

  std::string readiness_path() const override { return "/status"; }

  std::optional<NodeStatus> parse_status(const HttpAnswer& answer) const override {
    const Json body = Json::parse(answer.body, nullptr, false);
    if (answer.status != 200 || !body.is_object()) return std::nullopt;
    if (!body.value("drained", Json()).is_boolean() ||
        !body.value("position", Json()).is_string()) {
      return std::nullopt;
    }
    return NodeStatus{body["drained"].get<bool>(), body["position"].get<std::string>()};
  }

  HttpRequest encode(const Invocation& invocation, const std::string& base_url, bool local,
                     const std::string& token) const override {
    Json body{{"f", name_of(invocation.function)}, {"key", invocation.key}};
    if (invocation.function != Function::read) body["value"] = json_from_value(invocation.value);
    if (invocation.function == Function::cas)
      body["expected"] = json_from_value(invocation.expected);
    if (local) body["local"] = true;
    if (!token.empty() && at("token") == "on") body["token"] = Json::parse(token, nullptr, false);
    return {base_url + "/op", body.dump(-1, ' ', false, Json::error_handler_t::replace), kSecond};
  }

  Completion decode(const Invocation& invocation, const HttpAnswer& answer) const override {
    Completion completion;
    if (answer.status == 0) {
      completion.outcome = answer.unsent ? Outcome::fail : Outcome::info;
      completion.error = answer.error;
      return completion;
    }
    const Json body = Json::parse(answer.body, nullptr, false);
    const bool shaped =
        answer.status == 200 && body.is_object() && body.value("type", Json()).is_string();
    if (!shaped) {
      completion.error = fmt::format("unexpected-answer-{}", answer.status);
      return completion;
    }
    return decode_body(invocation, body);
  }

 private:
  const std::string& at(const std::string& name) const { return settings_.at(name); }

  /// `loses_track`: sessions move and do not say what they have seen.
  std::vector<std::string> causal_claims(bool loses_track, bool sessions_move) const {
    const bool converge = at("conflicts") == "converge";
    if (loses_track)
      return converge ? std::vector<std::string>{"strong-eventual"} : std::vector<std::string>{};
    if (converge) return {"causal-convergence", "strong-eventual"};
    return {sessions_move ? "weak-causal" : "causal"};
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

  std::map<std::string, std::string> settings_;
  StoreSettings given_;
};

std::optional<int> as_number(const std::string& text) {
  int number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Error> check_setting(const std::string& name, const std::string& value) {
  for (const Setting& setting : settings_table()) {
    if (name != setting.name) continue;
    if (setting.allowed.empty() && !as_number(value)) {
      return usage_error(fmt::format("{} must be a whole number, not \"{}\"", name, value));
    }
    const auto& allowed = setting.allowed;
    if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
      return std::nullopt;
    return usage_error(unknown_name(name, value, allowed));
  }
  return usage_error(unknown_name("setting of store ref", name, reference_store_settings()));
}

std::optional<Error> check_quorum(const std::map<std::string, std::string>& settings, int nodes) {
  const int r = *as_number(settings.at("R")), w = *as_number(settings.at("W"));
  if (settings.at("protocol") != "quorum") return std::nullopt;
  if (r < 1 || w < 1 || r > nodes || w > nodes) {
    return usage_error(
        fmt::format("R={} and W={} must lie between 1 and the {} nodes", r, w, nodes));
  }
  if (settings.at("unsafe-quorum") == "on" || (r + w > nodes && 2 * w > nodes)) return std::nullopt;
  return usage_error(
      fmt::format("R={} W={} of {} nodes: R+W must exceed N and 2W must exceed N, or reads "
                  "miss writes; --unsafe-quorum allows it",
                  r, w, nodes));
}

}  // namespace

std::vector<std::string> reference_store_settings() {
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) names.emplace_back(setting.name);
  return names;
}

Result<std::unique_ptr<Store>> make_reference_store(const StoreSettings& given, std::size_t nodes) {
  std::map<std::string, std::string> settings;
  for (const Setting& setting : settings_table()) settings[setting.name] = setting.fallback;
  settings["R"] = settings["W"] = std::to_string(nodes / 2 + 1);
  for (const auto& [name, value] : given) {
    if (auto error = check_setting(name, value)) return *error;
    settings[name] = value;
  }
  if (auto error = check_quorum(settings, static_cast<int>(nodes))) return *error;
  return std::unique_ptr<Store>(std::make_unique<ReferenceStore>(std::move(settings), given));
}

}  // namespace consistory
