#include "checkers/history/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "base/escape.h"
#include "checkers/history/json_input.h"

namespace consistory {
namespace {

constexpr std::string_view kSchema = "consistory.history/1";
constexpr std::array<std::string_view, 14> kKnownFields = {
    "index", "time", "process", "type", "f",     "key",   "value",
    "node",  "ver",  "swapped", "seen", "final", "local", "error"};

Error at(const std::string& place, std::string_view what) {
  return usage_error(fmt::format("{}: {}", place, what));
}

std::vector<std::string> string_list(const Json& object, const char* name) {
  std::vector<std::string> strings;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return strings;
  for (const Json& item : *found) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

std::string string_field(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  Result<Recording> read(std::string_view content) {
    if (auto error = read_header(content)) return *error;
    while (!content.empty()) {
      if (auto error = read_line(content)) return *error;
    }
    return finish();
  }

 private:
  struct Line {
    std::string_view text;
    bool complete = false;  // ended by a newline
  };

  Line next_line(std::string_view& content) {
    ++line_;
    const std::size_t end = content.find('\n');
    const Line line{content.substr(0, end), end != std::string_view::npos};
    content.remove_prefix(line.complete ? end + 1 : content.size());
    return line;
  }
  std::string place() const { return fmt::format("{}:{}", name_, line_); }

  std::optional<Error> read_header(std::string_view& content) {
    const Line line = next_line(content);
    Result<Json> header = parse_json_line(line.text, place());
    if (!header && !line.complete) {
      return at(place(),
                "the history ends before its header does: expected a first line "
                "{\"schema\":\"consistory.history/1\",…}; the file is empty or cut");
    }
    if (!header) return header.error();
    const std::string schema = string_field(*header, "schema");
    if (schema != kSchema) {
      return at(place(),
                fmt::format("the header's \"schema\" is \"{}\", and this version reads \"{}\"",
                            shorten(escape_terminal(schema), 60), kSchema));
    }
    recording_.promised = string_list(*header, "promised");
    recording_.store = string_field(*header, "store");
    builder_.set_replicas(string_list(*header, "nodes"));
    return std::nullopt;
  }

  std::optional<Error> read_line(std::string_view& content) {
    const Line line = next_line(content);
    if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) return std::nullopt;
    if (line.text.size() > kLineBytesMax) return at(place(), "a line longer than 64 MiB");
    Result<Json> event = parse_json_line(line.text, place());
    if (event) return read_event(*event);
    if (line.complete) return event.error();
    recording_.notes.push_back(fmt::format("{}: the last line is torn ({} bytes) and was left out",
                                           place(), line.text.size()));
    return std::nullopt;
  }

  std::optional<Error> read_event(const Json& event) {
    for (const char* field : {"process", "type", "f"}) {
      if (!event.contains(field)) return at(place(), fmt::format("an event needs \"{}\"", field));
    }
    const auto process = name_from_json(event["process"]);
    if (!process) return at(place(), "\"process\" must be an integer or a string");
    if (*process == "nemesis" || *process == "runner") return read_mark(event, *process);
    note_unknown_fields(event);
    if (!event.contains("key")) return at(place(), "an event needs \"key\"");
    return read_client_event(event, *process);
  }

  void note_unknown_fields(const Json& event) {
    for (const auto& [field, value] : event.items()) {
      const bool known =
          std::find(kKnownFields.begin(), kKnownFields.end(), field) != kKnownFields.end();
      if (known || !unknown_fields_.insert(field).second) continue;
      recording_.notes.push_back(fmt::format("{}: unknown field \"{}\" is kept and not judged",
                                             place(), shorten(escape_terminal(field), 40)));
    }
  }

  std::optional<Error> read_mark(const Json& event, const std::string& actor) {
    Mark mark;
    mark.actor = actor;
    mark.time = time_of(event);
    mark.what = string_field(event, "f");
    mark.state = string_field(event, "state");
    const auto value = event.find("value");
    if (value != event.end())
      mark.detail = value->dump(-1, ' ', false, Json::error_handler_t::replace);
    if (actor == "runner" && mark.what == "settled") builder_.set_settled(mark.detail == "true");
    recording_.marks.push_back(std::move(mark));
    return std::nullopt;
  }

  static Nanos time_of(const Json& event) {
    const auto time = event.find("time");
    return time != event.end() && time->is_number_integer() ? time->get<Nanos>() : 0;
  }

  std::optional<Error> read_client_event(const Json& event, const std::string& session) {
    const std::string type = string_field(event, "type");
    const auto function = function_named(string_field(event, "f"));
    if (!function) {
      return at(place(), "\"f\" must be one of read, write, cas, delete, append");
    }
    RawOperation raw;
    raw.place = place();
    raw.session = session;
    raw.function = *function;
    const auto key = name_from_json(event["key"]);
    if (!key) return at(place(), "\"key\" must be a string or an integer");
    raw.key = *key;
    if (type == "invoke") return open_operation(event, std::move(raw));
    const auto outcome = outcome_named(type);
    if (!outcome) return at(place(), "\"type\" must be one of invoke, ok, fail, info");
    raw.outcome = *outcome;
    return close_operation(event, std::move(raw));
  }

  std::optional<Error> open_operation(const Json& event, RawOperation raw) {
    raw.outcome = Outcome::info;  // until its completion comes
    if (auto error = read_payload(event, raw)) return error;
    raw.elements.reset();
    raw.invoke = stamp_++;
    raw.invoke_ns = time_of(event);
    const auto [place_in, added] = open_.try_emplace(raw.session, raw);
    if (!added) {
      return at(place(),
                fmt::format("session {} invokes again while its operation of {} is open",
                            shorten(escape_terminal(raw.session), 40), place_in->second.place));
    }
    return std::nullopt;
  }

  std::optional<Error> close_operation(const Json& event, RawOperation raw) {
    const auto open = open_.find(raw.session);
    if (open == open_.end()) {
      return at(place(), fmt::format("a completion without an invocation: session {} has none open",
                                     shorten(escape_terminal(raw.session), 40)));
    }
    const RawOperation& invoked = open->second;
    if (invoked.function != raw.function || invoked.key != raw.key) {
      return at(place(),
                fmt::format("this completion is of another operation than the invocation of {}",
                            invoked.place));
    }
    raw.invoke = invoked.invoke;
    raw.invoke_ns = invoked.invoke_ns;
    raw.final = invoked.final;
    raw.local = invoked.local;
    raw.node = invoked.node;
    const bool read = raw.function == Function::read;
    if (!read) {
      raw.value = invoked.value;
      raw.expected = invoked.expected;
    }
    if (auto error = read_payload(event, raw, true)) return error;
    if (!read && (raw.value != invoked.value || raw.expected != invoked.expected)) {
      return at(place(), fmt::format("this completion has another value than the invocation of {}",
                                     invoked.place));
    }
    raw.complete = stamp_++;
    raw.complete_ns = time_of(event);
    open_.erase(open);
    builder_.add(std::move(raw));
    return std::nullopt;
  }

  Result<Recording> finish() {
    if (!open_.empty()) {
      recording_.notes.push_back(fmt::format(
          "{}: {} operations were open at the end; each may or may not have taken effect", name_,
          open_.size()));
    }
    for (auto& [session, raw] : open_) builder_.add(std::move(raw));
    Result<History> history = std::move(builder_).finish();
    if (!history) return history.error();
    recording_.history = std::move(*history);
    return std::move(recording_);
  }

  std::string name_;
  std::size_t line_ = 0;
  std::int64_t stamp_ = 0;
  HistoryBuilder builder_;
  std::map<std::string, RawOperation> open_;
  std::set<std::string> unknown_fields_;
  Recording recording_;
};

}  // namespace

Result<Recording> parse_recording(std::string_view content, const std::string& name) {
  return Reader(name).read(content);
}

bool looks_like_recording(std::string_view content) {
  const std::string_view first = content.substr(0, content.find('\n'));
  return first.find("\"ops\"") == std::string_view::npos;
}

Result<std::string> read_input(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return usage_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  std::istream& stream = path == "-" ? std::cin : file;
  std::ostringstream content;
  if (stream.peek() != std::istream::traits_type::eof()) content << stream.rdbuf();
  const bool directory = path != "-" && std::filesystem::is_directory(path);
  if (stream.bad() || directory) {
    return usage_error(fmt::format("cannot read {}: it is no readable file", path));
  }
  return std::move(content).str();
}

}  // namespace consistory
