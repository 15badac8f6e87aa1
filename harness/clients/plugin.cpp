#include "harness/clients/plugin.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "checkers/history/json_input.h"
#include "harness/stores/installed.h"

namespace consistory {
namespace {

constexpr Nanos kHelloTimeout = 10 * kSecond;  // an interpreter may take its time to start
constexpr Nanos kGrace = 200 * kMillisecond;   // to answer that the time is up

std::string quote(std::string_view line) {
  return shorten(escape_terminal(std::string(line)), 120);
}

std::vector<std::string> strings(const Json& object, const char* name) {
  std::vector<std::string> all;
  const Json list = object.value(name, Json::array());
  if (!list.is_array()) return all;
  for (const Json& item : list) {
    if (item.is_string()) all.push_back(item.get<std::string>());
  }
  return all;
}

Completion completion_of(const ClientRequest& request, const Json& answer) {
  Completion completion;
  const Json type = answer.value("type", Json()), error = answer.value("error", Json());
  if (error.is_string()) completion.error = shorten(error.get<std::string>(), 200);
  if (type == "info") return completion;
  if (type == "fail") {
    completion.outcome = Outcome::fail;
    return completion;
  }
  completion.outcome = Outcome::ok;
  const Json version = answer.value("ver", Json()), swapped = answer.value("swapped", Json());
  if (version.is_number_integer()) completion.version = version.get<std::int64_t>();
  if (swapped.is_boolean()) completion.swapped = swapped.get<bool>();
  const Json value = answer.value("value", Json());
  const auto to_value = [](const Json& json) {
    const Result<Value> read = value_from_json(json, "answer");
    return read ? *read : Value::of(read.error().message);
  };
  if (request.invocation.function == Function::cas && !completion.swapped &&
      answer.contains("value"))
    completion.seen = to_value(value);
  if (request.invocation.function != Function::read) return completion;
  if (!value.is_array()) {
    completion.value = to_value(value);
    return completion;
  }
  completion.elements.emplace();
  for (const Json& element : value) completion.elements->push_back(to_value(element));
  return completion;
}

}  // namespace

Result<std::unique_ptr<Plugin>> Plugin::start(const std::vector<std::string>& command,
                                              const std::vector<Endpoint>& nodes,
                                              const std::string& log_path) {
  const std::string program = find_program(command.front());
  if (program.empty())
    return environment_error(
        fmt::format("the plugin {} is no program that can be run", command.front()));
  Descriptor input, output;
  Result<ChildProcess> process = ChildProcess::spawn_piped(
      {program, {command.begin() + 1, command.end()}}, log_path, input, output);
  if (!process) return process.error();
  std::unique_ptr<Plugin> plugin(
      new Plugin(std::move(*process), LinePipe(std::move(input), std::move(output))));
  if (Status heard = plugin->hear_hello(nodes); !heard) return heard.error();
  return plugin;
}

Status Plugin::hear_hello(const std::vector<Endpoint>& nodes) {
  Json endpoints = Json::array();
  for (const Endpoint& node : nodes) endpoints.push_back(node.text());
  const Nanos deadline = monotonic_now() + kHelloTimeout;
  const Json greeting{{"type", "hello"}, {"protocol", kPluginProtocol}, {"nodes", endpoints}};
  const auto line =
      pipe_.send_line(greeting.dump(), deadline) ? pipe_.receive_line(deadline) : std::nullopt;
  if (!line)
    return store_error(
        fmt::format("the plugin did not answer the hello within {} s, with a line "
                    "of JSON and a flush of its output: {}",
                    kHelloTimeout / kSecond, pipe_.trouble()));
  const Json answer = parse_untrusted(*line);
  const bool fine = answer.is_object() && answer.value("type", Json()) == "hello" &&
                    answer.value("protocol", Json()) == kPluginProtocol;
  if (!fine)
    return store_error(
        fmt::format("the plugin's first line must be {{\"type\":\"hello\",\"protocol\":{},"
                    "\"functions\":[…]}}, not {}",
                    kPluginProtocol, quote(*line)));
  const Json name = answer.value("name", Json());
  hello_.name = name.is_string() ? shorten(escape_terminal(name.get<std::string>()), 60) : "plugin";
  hello_.functions = strings(answer, "functions");
  hello_.claims = strings(answer, "claims");
  hello_.reads_locally = answer.value("local", Json()) == true;
  if (hello_.functions.empty())
    return store_error("the plugin's hello names no \"functions\" (read, write, cas, append)");
  return Done{};
}

Completion Plugin::give_up(std::string why) {
  broken_ = true;
  trouble_ = why;
  return unknown(std::move(why));
}

Completion Plugin::perform(const ClientRequest& request) {
  const Invocation& invocation = request.invocation;
  Json line{{"type", "op"},
            {"id", ++last_id_},
            {"f", name_of(invocation.function)},
            {"key", invocation.key},
            {"node", request.node},
            {"timeout_ms", request.timeout / kMillisecond}};
  if (invocation.function != Function::read) line["value"] = json_from_value(invocation.value);
  if (invocation.function == Function::cas) line["expected"] = json_from_value(invocation.expected);
  if (request.local) line["local"] = true;
  if (invocation.list) line["list"] = true;
  if (invocation.set) line["set"] = true;
  const Nanos deadline = monotonic_now() + request.timeout + kGrace;
  const std::string asked = line.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto answered =
      pipe_.send_line(asked, deadline) ? pipe_.receive_line(deadline) : std::nullopt;
  if (!answered) return give_up("plugin-" + pipe_.trouble());
  const Json answer = parse_untrusted(*answered);
  const Json type = answer.is_object() ? answer.value("type", Json()) : Json();
  if (type != "ok" && type != "fail" && type != "info")
    return give_up("plugin-bad-answer: " + quote(*answered));
  if (answer.value("id", Json()) != last_id_)
    return give_up(fmt::format("plugin-bad-answer: the id is not {}", last_id_));
  return completion_of(request, answer);
}

}  // namespace consistory
