#include "checkers/history/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/escape.h"
#include "checkers/history/binary_events.h"
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

/// One line about a client operation, with its names and values interned.
struct Event {
  std::optional<Outcome> outcome;  ///< none: the invocation
  Operation operation;
  bool has_value = false;
  bool has_node = false;
  std::optional<std::vector<ValueId>> elements;
};

/// Pairs completions with invocations, which is what turns events into a history.
class Assembler {
 public:
  explicit Assembler(const std::string& name) : name_(name), builder_(name) {}

  HistoryBuilder& builder() { return builder_; }

  std::optional<Error> take(Event event, std::uint32_t line) {
    const SessionId session = event.operation.session;
    if (session >= open_.size()) open_.resize(session + 1, kNone);
    return event.outcome ? close(event, line) : open(event.operation, line);
  }

  std::size_t still_open() const {
    return static_cast<std::size_t>(std::count_if(
        open_.begin(), open_.end(), [](std::size_t place) { return place != kNone; }));
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  std::string place(std::uint32_t line) const { return fmt::format("{}:{}", name_, line); }

  std::optional<Error> open(Operation operation, std::uint32_t line) {
    std::size_t& mine = open_[operation.session];
    if (mine != kNone) {
      return at(place(line),
                fmt::format("session {} invokes again while its operation of {} is open",
                            session_name(operation), place(lines_[mine])));
    }
    operation.outcome = Outcome::info;  // until its completion comes
    operation.invoke = stamp_++;
    mine = builder_.add(operation, line);
    lines_.push_back(line);
    return std::nullopt;
  }

  std::optional<Error> close(const Event& event, std::uint32_t line) {
    const Operation& said = event.operation;
    std::size_t& mine = open_[said.session];
    if (mine == kNone) {
      return at(place(line),
                fmt::format("a completion without an invocation: session {} has none open",
                            session_name(said)));
    }
    Operation& operation = builder_.at(mine);
    if (operation.function != said.function || operation.key != said.key) {
      return at(place(line),
                fmt::format("this completion is of another operation than the invocation of {}",
                            place(lines_[mine])));
    }
    const bool read = said.function == Function::read;
    const bool other = operation.value != said.value || operation.expected != said.expected;
    if (!read && event.has_value && other) {
      return at(place(line),
                fmt::format("this completion has another value than the invocation of {}",
                            place(lines_[mine])));
    }
    if (read) operation.value = said.value;
    complete(operation, event);
    if (event.elements) builder_.set_list(mine, *event.elements);
    mine = kNone;
    return std::nullopt;
  }

  void complete(Operation& operation, const Event& event) {
    const Operation& said = event.operation;
    operation.outcome = *event.outcome;
    operation.complete = stamp_++;
    operation.complete_ns = said.invoke_ns;
    operation.final = operation.final || said.final;
    operation.local = operation.local || said.local;
    operation.swapped = said.swapped;
    operation.seen = said.seen;
    operation.version = said.version;
    if (event.has_node) operation.node = said.node;
  }

  std::string session_name(const Operation& operation) {
    return shorten(escape_terminal(builder_.session_name(operation.session)), 40);
  }

  const std::string& name_;
  HistoryBuilder builder_;
  std::int64_t stamp_ = 0;
  std::vector<std::size_t> open_;     // per session: the place of its open operation
  std::vector<std::uint32_t> lines_;  // per place: the line of its invocation
};

/// What the names of a batch are in the history.
struct BatchNames {
  const EventBatch* batch = nullptr;
  std::vector<std::uint32_t> sessions, keys, nodes;

  /// Does nothing but at the first plain line of a batch: the header tells its names before.
  void take(const EventBatch& from, HistoryBuilder& builder) {
    if (std::exchange(batch, &from) != nullptr) return;
    for (auto* ids : {&sessions, &keys, &nodes}) ids->clear();
    for (const std::string_view name : from.sessions) sessions.push_back(builder.session(name));
    for (const std::string_view name : from.keys) keys.push_back(builder.key(name));
    for (const std::string_view name : from.nodes) nodes.push_back(builder.node(name));
  }
};

class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)), assembler_(name_) {}

  Result<Recording> read(ByteSource& source) {
    constexpr std::size_t kBytesLikely = 200, kReservedMax = 20'000'000;  // per operation; of them
    builder().reserve(std::min(source.size_hint() / kBytesLikely, kReservedMax));
    const std::unique_ptr<EventBatches> events = open_events(source, name_);
    while (const EventBatch* batch = events->next()) {
      names_.batch = nullptr;
      for (const EventBatch::Line& line : batch->lines) {
        ++line_;
        auto error = line_ == 1 ? read_header(line) : read_line(line, *batch);
        if (error) return *error;
      }
    }
    if (events->error()) return *events->error();
    for (std::string& note : events->notes()) recording_.notes.push_back(std::move(note));
    if (line_ == 0) return cut_header();
    return finish();
  }

 private:
  std::string place() const { return fmt::format("{}:{}", name_, line_); }

  Error cut_header() const {
    return at(fmt::format("{}:1", name_),
              "the history ends before its header does: expected a first line "
              "{\"schema\":\"consistory.history/1\",…}; the file is empty or cut");
  }

  std::optional<Error> read_header(const EventBatch::Line& line) {
    Result<Json> header = parse_json_line(line.text, place());
    if (!header && !line.complete) return cut_header();
    if (!header) return header.error();
    const std::string schema = string_field(*header, "schema");
    if (schema != kSchema) {
      return at(place(),
                fmt::format("the header's \"schema\" is \"{}\", and this version reads \"{}\"",
                            shorten(escape_terminal(schema), 60), kSchema));
    }
    recording_.promised = string_list(*header, "promised");
    recording_.store = string_field(*header, "store");
    builder().set_replicas(string_list(*header, "nodes"));
    return std::nullopt;
  }

  HistoryBuilder& builder() { return assembler_.builder(); }

  std::optional<Error> read_line(const EventBatch::Line& line, const EventBatch& batch) {
    if (line.plain) return assembler_.take(intern(line, batch), line_number());
    if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) return std::nullopt;
    if (line.text.size() > kLineBytesMax) return at(place(), "a line longer than 64 MiB");
    Result<Json> event = parse_json_line(line.text, place());
    if (event) return read_event(*event);
    if (line.complete) return event.error();
    recording_.notes.push_back(fmt::format("{}: the last line is torn ({} bytes) and was left out",
                                           place(), line.text.size()));
    return std::nullopt;
  }

  std::uint32_t line_number() const {
    return static_cast<std::uint32_t>(std::min<std::size_t>(line_, UINT32_MAX));
  }

  Event intern(const EventBatch::Line& plain, const EventBatch& batch) {
    using Payload = EventLine::Payload;
    const EventLine& line = plain.event;
    names_.take(batch, builder());
    Event event;
    event.outcome = line.outcome;
    Operation& operation = event.operation;
    operation.function = line.function;
    operation.session = names_.sessions[plain.session];
    operation.key = names_.keys[plain.key];
    event.has_node = plain.node != EventBatch::kNoName;
    if (event.has_node) operation.node = names_.nodes[plain.node];
    operation.swapped = line.swapped;
    operation.final = line.final;
    operation.local = line.local;
    operation.version = line.version;
    operation.invoke_ns = line.time;
    if (line.seen) operation.seen = builder().value(line.seen_value);
    event.has_value = line.payload == Payload::integer || line.payload == Payload::pair;
    if (line.function == Function::remove) event.has_value = false;
    if (event.has_value) operation.value = builder().value(line.value);
    if (line.payload == Payload::pair) operation.expected = builder().value(line.expected);
    if (line.payload == Payload::list) {
      event.elements.emplace();
      for (std::uint32_t i = 0; i < line.list_size; ++i) {
        event.elements->push_back(builder().value(batch.elements[line.list_begin + i]));
      }
    }
    return event;
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
    if (actor == "runner" && mark.what == "settled") builder().set_settled(mark.detail == "true");
    recording_.marks.push_back(std::move(mark));
    return std::nullopt;
  }

  static Nanos time_of(const Json& event) {
    const auto time = event.find("time");
    return time != event.end() && time->is_number_integer() ? time->get<Nanos>() : 0;
  }

  std::optional<Error> read_client_event(const Json& json, const std::string& session) {
    const std::string type = string_field(json, "type");
    const auto function = function_named(string_field(json, "f"));
    if (!function) {
      return at(place(), "\"f\" must be one of read, write, cas, delete, append, add, increment");
    }
    RawOperation raw;
    raw.session = session;
    raw.function = *function;
    const auto key = name_from_json(json["key"]);
    if (!key) return at(place(), "\"key\" must be a string or an integer");
    raw.key = *key;
    const std::optional<Outcome> outcome = outcome_named(type);
    if (type != "invoke" && !outcome) {
      return at(place(), "\"type\" must be one of invoke, ok, fail, info");
    }
    raw.outcome = outcome.value_or(Outcome::info);
    if (auto error = read_payload(json, raw, place(), outcome.has_value())) return error;
    Event event = intern(raw);
    event.outcome = outcome;
    const auto value = json.find("value");
    event.has_value = value != json.end() && !value->is_null();
    event.operation.invoke_ns = time_of(json);
    return assembler_.take(std::move(event), line_number());
  }

  Event intern(const RawOperation& raw) {
    Event event;
    Operation& operation = event.operation;
    operation.session = builder().session(raw.session);
    operation.key = builder().key(raw.key);
    event.has_node = raw.node.has_value();
    if (raw.node) operation.node = builder().node(*raw.node);
    operation.function = raw.function;
    operation.swapped = raw.swapped;
    operation.final = raw.final;
    operation.local = raw.local;
    operation.version = raw.version.value_or(kNoVersion);
    operation.value = builder().value(raw.value);
    operation.expected = builder().value(raw.expected);
    if (raw.seen) operation.seen = builder().value(*raw.seen);
    if (raw.elements) {
      event.elements.emplace();
      for (const Value& element : *raw.elements)
        event.elements->push_back(builder().value(element));
    }
    return event;
  }

  Result<Recording> finish() {
    if (const std::size_t open = assembler_.still_open(); open > 0) {
      recording_.notes.push_back(fmt::format(
          "{}: {} operations were open at the end; each may or may not have taken effect", name_,
          open));
    }
    Result<History> history = std::move(builder()).finish();
    if (!history) return history.error();
    recording_.history = std::move(*history);
    return std::move(recording_);
  }

  std::string name_;
  std::size_t line_ = 0;
  Assembler assembler_;
  BatchNames names_;
  std::set<std::string> unknown_fields_;
  Recording recording_;
};

}  // namespace

Result<Recording> parse_recording(std::string_view content, const std::string& name) {
  return Reader(name).read(*memory_input(content));
}

Result<Recording> read_recording(const std::string& path, const std::string& name) {
  Result<std::unique_ptr<ByteSource>> source = open_input(path);
  if (!source) return source.error();
  return Reader(name).read(**source);
}

}  // namespace consistory
