// A store that a file describes (--store FILE.toml), or that a plugin speaks to (--adapter COMMAND
// with --endpoint): docs/ADAPTERS.md.
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "checkers/history/json_input.h"
#include "checkers/models/registry.h"
#include "harness/clients/plugin.h"
#include "harness/cluster/http_loop.h"
#include "harness/stores/description.h"
#include "harness/stores/settings.h"
#include "harness/stores/text_exchange.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

std::string url_escaped(const std::string& text) {
  char* escaped = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
  const std::string copy = escaped == nullptr ? text : escaped;
  curl_free(escaped);
  return copy;
}

/// What every text about a node may name.
Placeholders placeholders_of(const NodeLayout& layout) {
  std::vector<std::string> peers, others;
  for (std::size_t i = 0; i < layout.peers.size(); ++i) {
    peers.push_back(layout.peers[i].text());
    if (i + 1 != layout.number) others.push_back(layout.peers[i].text());
  }
  return {{"node", std::to_string(layout.number)},
          {"name", fmt::format("n{}", layout.number)},
          {"host", layout.own.host},
          {"port", std::to_string(layout.own.port)},
          {"data", layout.data_directory},
          {"peers", join(peers, ",")},
          {"others", join(others, ",")},
          {"nodes", std::to_string(layout.peers.size())}};
}

/// What a pointer leads to; discarded if it leads nowhere.
Json look_up(const Json& answer, const std::string& pointer) {
  try {
    return answer.at(Json::json_pointer(pointer));
  } catch (const Json::exception&) {
    return Json(Json::value_t::discarded);
  }
}

bool holds(const std::vector<long>& statuses, long status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

class PluginConnection final : public Connection {
 public:
  explicit PluginConnection(std::unique_ptr<Plugin> plugin) : plugin_(std::move(plugin)) {}
  Completion perform(const ClientRequest& request) override { return plugin_->perform(request); }
  bool broken() const override { return plugin_->broken(); }

 private:
  std::unique_ptr<Plugin> plugin_;
};

class DescribedStore final : public Store, public HttpProtocol {
 public:
  DescribedStore(StoreDescription description, bool reads_locally, StoreSettings settings)
      : description_(std::move(description)),
        reads_locally_(reads_locally),
        settings_(std::move(settings)) {}

  std::string description() const override { return description_.name; }
  std::vector<std::string> arguments() const override { return words_of(settings_); }

  bool supports(Function function) const override {
    const std::string name(name_of(function));
    if (description_.plugin.empty()) return description_.http.contains(name);
    const auto& known = description_.functions;
    return std::find(known.begin(), known.end(), name) != known.end();
  }
  std::vector<std::string> claims(const Circumstances&) const override {
    return description_.claims;
  }
  bool reads_locally() const override { return reads_locally_; }
  bool tells_when_drained() const override { return !description_.settled.empty(); }
  bool needs_own_address() const override { return description_.own_address; }
  bool starts_nodes() const override { return !description_.command.empty(); }
  Nanos start_timeout() const override { return description_.start_timeout; }

  std::vector<Command> processes(const NodeLayout& layout) const override {
    Placeholders placeholders = placeholders_of(layout);
    std::vector<std::string> words, peers;
    for (std::size_t i = 0; i < layout.peers.size(); ++i) {
      const Endpoint& peer = layout.peers[i];
      peers.push_back(fill_in(description_.each_peer, {{"name", fmt::format("n{}", i + 1)},
                                                       {"node", std::to_string(i + 1)},
                                                       {"host", peer.host},
                                                       {"port", std::to_string(peer.port)}}));
    }
    placeholders["each_peer"] = join(peers, ",");
    placeholders["here"] = description_.here;
    for (const std::string& word : description_.command)
      words.push_back(fill_in(word, placeholders));
    return {{find_program(words.front()), {words.begin() + 1, words.end()}}};
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    if (description_.ready.empty()) return NodeStatus{};  // it runs elsewhere
    const std::string ready = fill_in(description_.ready, placeholders_of(layout));
    if (!serves(ready)) return std::nullopt;
    NodeStatus status;
    if (description_.settled.empty()) return status;
    const std::string url = fill_in(description_.settled, placeholders_of(layout));
    const HttpAnswer answer = http_exchange({url, "", kSecond});
    status.drained = answer.status == 200;
    status.position = answer.body;
    if (description_.settled_value.empty()) return status;
    const Json value = look_up(parse_untrusted(answer.body), description_.settled_value);
    status.drained = status.drained && !value.is_discarded();
    status.position = value.dump();
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    if (!description_.plugin.empty()) {
      return make_blocking_clients(
          slots,
          [this, reached](std::size_t, std::size_t, Nanos, std::string& why) {
            return connect(reached, why);
          },
          Sharing::one_connection_for_all_nodes);
    }
    std::vector<std::string> urls;
    for (const Endpoint& node : reached) urls.push_back("http://" + node.text());
    return make_http_clients(slots, std::move(urls), *this);
  }

  HttpRequest encode(const ClientRequest& request, const std::string& base_url) const override {
    const HttpMapping& mapping = mapping_of(request);
    const Invocation& invocation = request.invocation;
    const std::string value = text_of(invocation.value), expected = text_of(invocation.expected);
    Placeholders in_body{{"key", invocation.key},
                         {"value", value},
                         {"expected", expected},
                         {"key_base64", base64_of(invocation.key)},
                         {"value_base64", base64_of(value)},
                         {"expected_base64", base64_of(expected)}};
    Placeholders in_path = in_body;
    for (auto& [name, text] : in_path) text = url_escaped(text);
    return {base_url + fill_in(mapping.path, in_path), fill_in(mapping.body, in_body),
            request.timeout, mapping.method};
  }

  Completion decode(const ClientRequest& request, const HttpAnswer& answer) const override {
    const HttpMapping& mapping = mapping_of(request);
    const Function function = request.invocation.function;
    if (holds(mapping.missing, answer.status)) {
      Completion completion;
      completion.outcome = Outcome::ok;
      completion.swapped = function != Function::cas;
      if (function == Function::cas && !mapping.value.empty())
        read_value(mapping, answer, completion);
      return completion;
    }
    if (!holds(mapping.ok, answer.status)) return error_of(answer);
    Completion completion;
    completion.outcome = Outcome::ok;
    const Json body = parse_untrusted(answer.body);
    if (function == Function::read && !mapping.absent.empty() && body.is_object() &&
        look_up(body, mapping.absent).is_discarded())
      return completion;
    if (function == Function::read && !read_value(mapping, answer, completion))
      return unknown(fmt::format("no {} in the answer", mapping.value));
    if (!mapping.version.empty()) {
      const Json version = look_up(body, mapping.version);
      if (version.is_number_integer()) completion.version = version.get<std::int64_t>();
    }
    if (function == Function::cas && !mapping.swapped.empty()) {
      const Json swapped = look_up(body, mapping.swapped);
      if (!swapped.is_boolean())
        return unknown(fmt::format("no {} in the answer", mapping.swapped));
      completion.swapped = swapped.get<bool>();
    }
    return completion;
  }

 private:
  static bool serves(const std::string& ready) {
    if (!ready.starts_with("tcp://")) return http_exchange({ready, "", kSecond}).status == 200;
    const Result<Endpoint> place = Endpoint::parse(ready.substr(6));
    return place && connect_to(*place, monotonic_now() + kSecond);
  }

  std::unique_ptr<Connection> connect(const std::vector<Endpoint>& nodes, std::string& why) const {
    Result<std::unique_ptr<Plugin>> plugin = Plugin::start(description_.plugin, nodes, "/dev/null");
    if (!plugin) {
      why = plugin.error().message;
      return nullptr;
    }
    return std::make_unique<PluginConnection>(std::move(*plugin));
  }

  const HttpMapping& mapping_of(const ClientRequest& request) const {
    const auto local = description_.http.find("local-read");
    if (request.local && local != description_.http.end()) return local->second;
    return description_.http.at(std::string(name_of(request.invocation.function)));
  }

  /// Nothing is there where the value should be: that is no answer to a read.
  static bool read_value(const HttpMapping& mapping, const HttpAnswer& answer,
                         Completion& completion) {
    const Json body = parse_untrusted(answer.body);
    const Json value = mapping.value.empty() ? body : look_up(body, mapping.value);
    if (value.is_discarded()) {
      if (!mapping.value.empty()) return false;
      completion.value = value_of_text(answer.body);
      return true;
    }
    if (value.is_array()) {
      completion.elements.emplace();
      for (const Json& element : value)
        completion.elements->push_back(value_of_text(element.dump()));
      return true;
    }
    const bool coded = mapping.base64 && value.is_string();
    completion.value = value_of_text(coded ? from_base64(value.get<std::string>()) : value.dump());
    if (!completion.swapped) completion.seen = completion.value;
    return true;
  }

  Completion error_of(const HttpAnswer& answer) const {
    const std::string error = fmt::format("http-{}", answer.status);
    const auto& texts = description_.failed_texts;
    const bool named = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return answer.body.find(text) != std::string::npos;
    });
    return named || holds(description_.failed, answer.status) ? failed(error) : unknown(error);
  }

  StoreDescription description_;
  bool reads_locally_;
  StoreSettings settings_;
};

/// A plugin tells itself what it can do.
Status ask_plugin(StoreDescription& description, bool& reads_locally) {
  const Result<std::unique_ptr<Plugin>> plugin = Plugin::start(description.plugin, {}, "/dev/null");
  if (!plugin) return plugin.error();
  const PluginHello& hello = (*plugin)->hello();
  if (description.functions.empty()) description.functions = hello.functions;
  if (description.claims.empty()) description.claims = hello.claims;
  if (description.name == "store") description.name = hello.name;
  reads_locally = hello.reads_locally;
  return Done{};
}

Status check_claims(const StoreDescription& description) {
  for (const std::string& claim : description.claims) {
    if (const Result<const Model*> model = find_model(claim); !model) return model.error();
  }
  return Done{};
}

}  // namespace

const std::vector<StoreSetting>& described_store_settings() {
  static const std::vector<StoreSetting> settings = {
      {"store",
       "",
       {},
       StoreSetting::Kind::choice,
       "",
       "A TOML file that describes a store: how to start it, and its HTTP requests or plugin"},
      {"adapter",
       "",
       {},
       StoreSetting::Kind::choice,
       "",
       "The command of a plugin that speaks to the store; with --endpoint"},
  };
  return settings;
}

Result<std::unique_ptr<Store>> make_described_store(const StoreSettings& given, std::size_t) {
  const Status known = check_settings("file", given, described_store_settings());
  if (!known) return known.error();
  const std::string file = setting(given, "store", ""), adapter = setting(given, "adapter", "");
  if (file.empty() == adapter.empty())
    return usage_error("give --store FILE.toml, or --adapter COMMAND with --endpoint");
  StoreDescription description;
  description.plugin = words_in(adapter);
  if (!file.empty()) {
    Result<StoreDescription> read = read_description(file);
    if (!read) return read.error();
    description = std::move(*read);
  }
  bool reads_locally = description.http.contains("local-read");
  if (!description.plugin.empty()) {
    for (std::string& word : description.plugin) word = fill_in(word, {{"here", description.here}});
    if (Status asked = ask_plugin(description, reads_locally); !asked) return asked.error();
  }
  if (Status fine = check_claims(description); !fine) return fine.error();
  if (!description.command.empty() && find_program(description.command.front()).empty())
    return environment_error(
        fmt::format("{} is no program that can be run", description.command.front()));
  return std::unique_ptr<Store>(
      std::make_unique<DescribedStore>(std::move(description), reads_locally, given));
}

}  // namespace consistory
