#include "harness/stores/description.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>

#include "base/duration.h"
#include "base/suggest.h"

namespace consistory {
namespace {

const std::vector<std::string> kFunctions = {"read",   "local-read", "write", "cas",
                                             "delete", "append",     "add",   "increment"};

const std::vector<std::string> kOfPeers = {"name", "node", "host", "port"};
const std::vector<std::string> kOfNodes = {"node",  "name",   "host",  "port",      "data",
                                           "peers", "others", "nodes", "each_peer", "here"};
const std::vector<std::string> kOfRequests = {"key",        "value",        "expected",
                                              "key_base64", "value_base64", "expected_base64"};

/// The first bare word in braces that is not known; empty: there is none.
std::string unknown_placeholder(const std::string& text, const std::vector<std::string>& known) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyz_0123456789";
  for (std::size_t at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
    const std::size_t end = text.find_first_not_of(kWord, at + 1);
    const bool word = end != std::string::npos && text[end] == '}' && end > at + 1;
    const std::string name = word ? text.substr(at + 1, end - at - 1) : "";
    if (word && std::find(known.begin(), known.end(), name) == known.end()) return name;
  }
  return {};
}

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<StoreDescription> read() {
    if (!std::filesystem::is_regular_file(path_))
      return usage_error(path_ + " is no file that can be read");
    toml::table file;
    try {
      file = toml::parse_file(path_);
    } catch (const toml::parse_error& error) {
      return at(error.source(), std::string(error.description()));
    }
    description_.here = std::filesystem::absolute(path_).parent_path().string();
    read_file(file);
    const bool speaks = !description_.http.empty() || !description_.plugin.empty();
    if (!speaks && !error_)
      error_ = at(file.source(),
                  "how do clients speak to the store? [http.read], [http.write] and "
                  "so on, or [client] with a command");
    if (error_) return *error_;
    return description_;
  }

 private:
  Error at(const toml::source_region& where, const std::string& what) const {
    return usage_error(
        fmt::format("{}:{}:{}: {}", path_, where.begin.line, where.begin.column, what));
  }
  void problem(const toml::node& node, const std::string& what) {
    if (!error_) error_ = at(node.source(), what);
  }

  void refuse_unknown(const toml::table& table, std::string_view where,
                      const std::vector<std::string>& known) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) == known.end() && !error_)
        error_ = at(key.source(), unknown_name(fmt::format("key of {}", where), name, known));
    }
  }

  void text(const toml::table& table, const char* key, std::string& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto value = node->value<std::string>();
    if (!value) problem(*node, fmt::format("{} must be a string", key));
    into = value.value_or("");
  }

  void texts(const toml::table& table, const char* key, std::vector<std::string>& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return problem(*node, fmt::format("{} must be an array of strings", key));
    for (const toml::node& item : *array) {
      const auto value = item.value<std::string>();
      if (!value) problem(item, fmt::format("{} must hold strings", key));
      into.push_back(value.value_or(""));
    }
  }

  /// For what was read of `key`.
  void refuse_placeholders(const toml::table& table, const char* key, const std::string& text,
                           const std::vector<std::string>& known) {
    const std::string name = unknown_placeholder(text, known);
    if (!name.empty()) problem(*table.get(key), unknown_name("placeholder", name, known));
  }

  void numbers(const toml::table& table, const char* key, std::vector<long>& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    into.clear();
    const auto add = [&](const toml::node& item) {
      const auto value = item.value<std::int64_t>();
      if (!value || *value < 100 || *value > 599)
        problem(item, fmt::format("{} must be an HTTP status, or an array of them", key));
      into.push_back(static_cast<long>(value.value_or(0)));
    };
    if (const toml::array* array = node->as_array()) {
      for (const toml::node& item : *array) add(item);
    } else {
      add(*node);
    }
  }

  const toml::table* table(const toml::table& file, const char* key) {
    const toml::node* node = file.get(key);
    if (node != nullptr && !node->is_table())
      problem(*node, fmt::format("{} must be a table", key));
    return node == nullptr ? nullptr : node->as_table();
  }

  void read_file(const toml::table& file) {
    refuse_unknown(file, "a store",
                   {"name", "claims", "functions", "node", "http", "errors", "client"});
    text(file, "name", description_.name);
    texts(file, "claims", description_.claims);
    texts(file, "functions", description_.functions);
    if (const toml::table* node = table(file, "node")) read_node(*node);
    if (const toml::table* errors = table(file, "errors")) {
      refuse_unknown(*errors, "errors", {"fail", "fail_texts"});
      numbers(*errors, "fail", description_.failed);
      texts(*errors, "fail_texts", description_.failed_texts);
    }
    if (const toml::table* client = table(file, "client")) {
      refuse_unknown(*client, "client", {"command"});
      texts(*client, "command", description_.plugin);
    }
    if (const toml::table* http = table(file, "http")) {
      refuse_unknown(*http, "http", kFunctions);
      for (const auto& [key, node] : *http) {
        if (!node.is_table()) problem(node, "expected a table of method, path, body and so on");
        else read_mapping(std::string(key.str()), *node.as_table());
      }
    }
  }

  void read_node(const toml::table& node) {
    refuse_unknown(node, "node",
                   {"command", "each_peer", "ready", "settled", "settled_value", "start_timeout",
                    "own_address"});
    texts(node, "command", description_.command);
    for (const std::string& word : description_.command)
      refuse_placeholders(node, "command", word, kOfNodes);
    text(node, "each_peer", description_.each_peer);
    refuse_placeholders(node, "each_peer", description_.each_peer, kOfPeers);
    text(node, "ready", description_.ready);
    refuse_placeholders(node, "ready", description_.ready, kOfNodes);
    text(node, "settled", description_.settled);
    refuse_placeholders(node, "settled", description_.settled, kOfNodes);
    text(node, "settled_value", description_.settled_value);
    if (!description_.settled.empty() && !description_.settled.starts_with("http://"))
      problem(node, "settled is a URL, http://…, that answers alike at nodes that hold the same");
    std::string timeout;
    text(node, "start_timeout", timeout);
    if (!timeout.empty()) {
      const Result<Nanos> span = parse_duration(timeout);
      if (!span) problem(*node.get("start_timeout"), span.error().message);
      else description_.start_timeout = *span;
    }
    description_.own_address = node["own_address"].value_or(false);
    if (description_.command.empty()) problem(node, "a node needs a command");
    const bool known =
        description_.ready.starts_with("http://") || description_.ready.starts_with("tcp://");
    if (!known)
      problem(node,
              "a node needs ready = \"http://{host}:{port}/…\", which answers 200 once it "
              "serves, or \"tcp://{host}:{port}\", which can be connected to");
  }

  void read_mapping(const std::string& function, const toml::table& table) {
    refuse_unknown(table, "http." + function,
                   {"method", "path", "body", "ok", "missing", "value", "absent", "base64",
                    "version", "swapped"});
    HttpMapping mapping;
    text(table, "method", mapping.method);
    text(table, "path", mapping.path);
    refuse_placeholders(table, "path", mapping.path, kOfRequests);
    text(table, "body", mapping.body);
    refuse_placeholders(table, "body", mapping.body, kOfRequests);
    text(table, "value", mapping.value);
    text(table, "absent", mapping.absent);
    mapping.base64 = table["base64"].value_or(false);
    text(table, "version", mapping.version);
    text(table, "swapped", mapping.swapped);
    numbers(table, "ok", mapping.ok);
    numbers(table, "missing", mapping.missing);
    for (const std::string* pointer :
         {&mapping.value, &mapping.absent, &mapping.version, &mapping.swapped}) {
      if (!pointer->empty() && pointer->front() != '/')
        problem(table,
                "value, absent, version and swapped are JSON pointers, as in \"/node/value\"");
    }
    const bool updates = !function.ends_with("read") && function != "cas";
    if (updates && !mapping.missing.empty())
      problem(table,
              "missing is for reads and for cas: what an update is refused with is an error");
    if ((updates || function == "cas") && mapping.method == "GET")
      problem(table, "an update needs a method other than GET, which may be sent twice");
    if (mapping.path.empty() || mapping.path.front() != '/')
      problem(table, "a request needs a path that starts with /");
    description_.http[function] = std::move(mapping);
  }

  std::string path_;
  StoreDescription description_;
  std::optional<Error> error_;
};

}  // namespace

Result<StoreDescription> read_description(const std::string& path) { return Reader(path).read(); }

std::string fill_in(const std::string& text, const Placeholders& placeholders) {
  std::string filled;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text[i] == '{' ? text.find('}', i) : std::string::npos;
    const auto found = end == std::string::npos
                           ? placeholders.end()
                           : placeholders.find(text.substr(i + 1, end - i - 1));
    if (found == placeholders.end()) {
      filled += text[i++];
    } else {
      filled += found->second;
      i = end + 1;
    }
  }
  return filled;
}

}  // namespace consistory
