#include "checkers/imports/jepsen.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/escape.h"

namespace consistory {
namespace {

using Json = nlohmann::json;

Error wrong(const std::string& source, std::uint32_t line, const std::string& why) {
  return usage_error(fmt::format("{}:{}: {}", source, line, why));
}

std::string word_of(const Edn* edn) { return edn != nullptr && edn->is_word() ? edn->text : ""; }

/// None for what is no event of a client: the nemesis, and loose information.
Result<std::optional<JepsenEvent>> event_of(Edn form, const std::string& source) {
  if (form.kind != Edn::Kind::map)
    return wrong(source, form.line, "expected an event, a map such as {:process 0, :type :invoke}");
  JepsenEvent event;
  event.line = form.line;
  event.type = word_of(form.find("type"));
  event.function = word_of(form.find("f"));
  const Edn* process = form.find("process");
  if (process != nullptr && process->kind != Edn::Kind::integer)
    return std::optional<JepsenEvent>();
  // elle-cli's samples leave the process out: then each invocation is completed by the next event.
  event.process = process == nullptr ? "" : std::to_string(process->integer);
  if (event.type != "invoke" && event.type != "ok" && event.type != "fail" && event.type != "info")
    return wrong(source, form.line,
                 fmt::format("expected :type :invoke, :ok, :fail or :info, got '{}'",
                             escape_terminal(shorten(event.type, 40))));
  if (const Edn* time = form.find("time"); time != nullptr) event.time = time->integer;
  if (Edn* key = form.find("key"); key != nullptr) event.key = std::move(*key);
  if (Edn* value = form.find("value"); value != nullptr) event.value = std::move(*value);
  return std::optional(std::move(event));
}

constexpr int kDepthMax = 64;

Edn edn_of(const Json& json, std::uint32_t line, int depth = 0) {
  Edn edn;
  edn.line = line;
  if (depth > kDepthMax) return edn;
  if (json.is_boolean()) {
    edn.kind = Edn::Kind::boolean;
    edn.integer = json.get<bool>() ? 1 : 0;
    edn.text = json.get<bool>() ? "true" : "false";
  } else if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) {
    edn.kind = Edn::Kind::real;
    edn.text = json.dump();
  } else if (json.is_number_integer()) {
    edn.kind = Edn::Kind::integer;
    edn.integer = json.get<std::int64_t>();
    edn.text = json.dump();
  } else if (json.is_number()) {
    edn.kind = Edn::Kind::real;
    edn.text = json.dump();
  } else if (json.is_string()) {
    edn.kind = Edn::Kind::text;
    edn.text = json.get<std::string>();
  } else if (json.is_array()) {
    edn.kind = Edn::Kind::sequence;
    for (const Json& item : json) edn.items.push_back(edn_of(item, line, depth + 1));
  } else if (json.is_object()) {
    edn.kind = Edn::Kind::map;
    for (const auto& [key, value] : json.items()) {
      edn.items.push_back(edn_of(Json(key), line, depth + 1));
      edn.items.push_back(edn_of(value, line, depth + 1));
    }
  }
  return edn;
}

/// Pairs invocations with completions.
class Pairing {
 public:
  Pairing(std::string source, const JepsenSink& sink) : source_(std::move(source)), sink_(sink) {}

  std::optional<Error> add(JepsenEvent event) {
    const std::int64_t stamp = ++stamp_;
    const auto open = open_.find(event.process);
    if (event.type == "invoke") {
      if (open != open_.end()) {
        if (!event.process.empty()) return invokes_again(event, open->second);
        if (std::optional<Error> error = crash(open)) return error;
      }
      invoke(std::move(event), stamp);
      return std::nullopt;
    }
    if (open == open_.end()) {
      if (event.type == "info") return std::nullopt;  // Jepsen's own remarks
      return wrong(source_, event.line,
                   fmt::format("process {} completes what it did not invoke", event.process));
    }
    if (event.type == "info") return crash(open);
    JepsenOperation operation = std::move(open->second);
    open_.erase(open);
    operation.complete = stamp;
    operation.completed = std::move(event);
    return sink_(operation);
  }

  std::optional<Error> finish() {
    while (!open_.empty()) {
      if (std::optional<Error> error = crash(open_.begin())) return error;
    }
    return std::nullopt;
  }

 private:
  using Open = std::map<std::string, JepsenOperation>;

  Error invokes_again(const JepsenEvent& event, const JepsenOperation& open) const {
    return wrong(source_, event.line,
                 fmt::format("process {} invokes again before its invocation of line {} completed",
                             event.process, open.invoked.line));
  }

  void invoke(JepsenEvent event, std::int64_t stamp) {
    JepsenOperation operation;
    const std::uint32_t life = lives_[event.process];
    operation.session = life == 0 ? event.process : fmt::format("{}.{}", event.process, life);
    if (event.process.empty()) operation.session = std::to_string(stamp);
    operation.invoke = stamp;
    const std::string process = event.process;
    operation.invoked = std::move(event);
    open_.emplace(process, std::move(operation));
  }

  std::optional<Error> crash(Open::iterator open) {
    ++lives_[open->first];
    const JepsenOperation operation = std::move(open->second);
    open_.erase(open);
    return sink_(operation);
  }

  std::string source_;
  const JepsenSink& sink_;
  std::int64_t stamp_ = 0;
  Open open_;
  std::map<std::string, std::uint32_t> lives_;
};

std::optional<Error> add_form(Edn form, const std::string& source, Pairing& pairing) {
  Result<std::optional<JepsenEvent>> event = event_of(std::move(form), source);
  if (!event) return event.error();
  if (!*event) return std::nullopt;
  return pairing.add(std::move(**event));
}

std::optional<Error> read_edn(std::string_view content, const std::string& source,
                              Pairing& pairing) {
  // An event is a map, its value a transaction, and its steps' third items are lists.
  constexpr int kListDepth = 3;
  EdnReader reader(content, source, kListDepth);
  while (true) {
    Result<std::optional<Edn>> form = reader.next();
    if (!form) return form.error();
    if (!*form) return std::nullopt;
    if (auto error = add_form(std::move(**form), source, pairing)) return error;
  }
}

template <class Visit>
std::optional<Error> for_each_line(std::string_view content, const Visit& visit) {
  for (std::uint32_t number = 1; !content.empty(); ++number) {
    const std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (std::optional<Error> error = visit(line, number)) return error;
  }
  return std::nullopt;
}

/// One array of events, or one event a line.
std::optional<Error> read_json(std::string_view content, const std::string& source,
                               Pairing& pairing) {
  const std::size_t start = content.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && content[start] == '[') {
    const Json all = Json::parse(content, nullptr, false);
    if (!all.is_array()) return wrong(source, 1, "expected a JSON array of events");
    std::uint32_t number = 0;
    for (const Json& event : all) {
      if (auto error = add_form(edn_of(event, ++number), source + ": event", pairing)) return error;
    }
    return std::nullopt;
  }
  return for_each_line(content, [&](std::string_view line, std::uint32_t number) {
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object())
      return std::optional(wrong(source, number, "expected a JSON object, one event a line"));
    return add_form(edn_of(event, number), source, pairing);
  });
}

/// `INFO  jepsen.util - 0 :invoke :read nil`, or any line that ends like that after " - ".
std::optional<Error> read_log(std::string_view content, const std::string& source,
                              Pairing& pairing) {
  return for_each_line(content, [&](std::string_view line, std::uint32_t number) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) return std::optional<Error>();
    EdnReader reader(line.substr(dash + 3), fmt::format("{}:{}", source, number));
    JepsenEvent event;
    event.line = number;
    std::vector<Edn> words;
    while (words.size() < 4) {
      Result<std::optional<Edn>> word = reader.next();
      if (!word || !*word) break;
      words.push_back(std::move(**word));
    }
    const bool event_words = words.size() >= 3 && words[0].kind == Edn::Kind::integer &&
                             words[1].kind == Edn::Kind::keyword;
    if (!event_words) return std::optional<Error>();  // some other line of the log
    event.process = std::to_string(words[0].integer);
    event.type = words[1].text;
    event.function = words[2].text;
    if (words.size() > 3) event.value = std::move(words[3]);
    return pairing.add(std::move(event));
  });
}

}  // namespace

const Edn& JepsenOperation::value() const {
  return ok() && !completed->value.is_nil() ? completed->value : invoked.value;
}

Status read_jepsen(std::string_view content, const std::string& source, JepsenNotation notation,
                   const JepsenSink& sink) {
  Pairing pairing(source, sink);
  const auto read = notation == JepsenNotation::edn    ? read_edn
                    : notation == JepsenNotation::json ? read_json
                                                       : read_log;
  if (std::optional<Error> error = read(content, source, pairing)) return *error;
  if (std::optional<Error> error = pairing.finish()) return *error;
  return Done{};
}

}  // namespace consistory
