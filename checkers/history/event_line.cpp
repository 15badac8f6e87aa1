#include "checkers/history/event_line.h"

#define SIMDJSON_EXCEPTIONS 0  // every failure is a value: the line is simply not plain
#include <simdjson.h>

#include <cstring>

namespace consistory {
namespace {

namespace json = simdjson::ondemand;
static_assert(simdjson::SIMDJSON_PADDING <= PlainLineParser::kPadding);

/// A string without escapes, or an integer as it stands.
bool read_name(json::value value, std::string_view& out) {
  json::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  std::string_view token = value.raw_json_token();
  if (type == json::json_type::string) {
    if (token.find('\\') != std::string_view::npos) return false;
    const std::size_t close = token.find('"', 1);
    if (close == std::string_view::npos) return false;
    out = token.substr(1, close - 1);
    std::string_view unescaped;  // moves on, and checks that the string is one
    return value.get_string().get(unescaped) == simdjson::SUCCESS;
  }
  if (type != json::json_type::number) return false;
  std::int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) return false;
  const std::size_t end = token.find_first_of(" \t\r\n,}");
  out = token.substr(0, end);
  return true;
}

bool read_integer(json::value value, std::int64_t& out) {
  return value.get_int64().get(out) == simdjson::SUCCESS;
}

bool read_flag(json::value value, bool& out) {
  return value.get_bool().get(out) == simdjson::SUCCESS;
}

bool read_null(json::value value) {
  bool null = false;
  return simdjson::simdjson_result<bool>(value.is_null()).get(null) == simdjson::SUCCESS && null;
}

bool read_array(json::value value, EventLine& out, std::vector<std::int64_t>& elements) {
  json::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  out.list_begin = static_cast<std::uint32_t>(elements.size());
  for (auto item : array) {
    std::int64_t number = 0;
    if (item.get_int64().get(number) != simdjson::SUCCESS) return false;
    elements.push_back(number);
  }
  out.list_size = static_cast<std::uint32_t>(elements.size()) - out.list_begin;
  out.payload = EventLine::Payload::list;
  return true;
}

bool read_value(json::value value, EventLine& out, std::vector<std::int64_t>& elements) {
  json::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case json::json_type::array:
      return read_array(value, out, elements);
    case json::json_type::null:
      out.payload = EventLine::Payload::nil;
      return read_null(value);
    case json::json_type::number:
      out.payload = EventLine::Payload::integer;
      return read_integer(value, out.value);
    default:
      return false;
  }
}

bool read_type(json::value value, EventLine& out) {
  std::string_view word;
  if (value.get_string().get(word) != simdjson::SUCCESS) return false;
  out.outcome = outcome_named(word);
  return out.outcome || word == "invoke";
}

bool read_function(json::value value, EventLine& out) {
  std::string_view word;
  if (value.get_string().get(word) != simdjson::SUCCESS) return false;
  const std::optional<Function> function = function_named(word);
  if (function) out.function = *function;
  return function.has_value();
}

bool skip_string(json::value value) {
  std::string_view ignored;
  return value.get_string().get(ignored) == simdjson::SUCCESS;
}

enum Seen : unsigned { kProcess = 1, kType = 2, kFunction = 4, kKey = 8, kAllOfThem = 15 };

bool read_field(std::string_view name, json::value value, EventLine& out,
                std::vector<std::int64_t>& elements, unsigned& seen) {
  std::int64_t ignored = 0;
  if (name == "index") return read_integer(value, ignored);
  if (name == "time") return read_integer(value, out.time);
  if (name == "process") return seen |= kProcess, read_name(value, out.session);
  if (name == "type") return seen |= kType, read_type(value, out);
  if (name == "f") return seen |= kFunction, read_function(value, out);
  if (name == "key") return seen |= kKey, read_name(value, out.key);
  if (name == "value") return read_value(value, out, elements);
  if (name == "node") return read_name(value, out.node);
  if (name == "ver") return read_integer(value, out.version) && out.version != kNoVersion;
  if (name == "swapped") return read_flag(value, out.swapped);
  if (name == "final") return read_flag(value, out.final);
  if (name == "local") return read_flag(value, out.local);
  if (name == "seen") return out.seen = true, read_integer(value, out.seen_value);
  if (name == "error") return skip_string(value);
  return false;
}

/// A cas has [old, new]; of the rest only reads return lists.
bool settle_payload(EventLine& out, const std::vector<std::int64_t>& elements) {
  using Payload = EventLine::Payload;
  const bool invocation = !out.outcome;
  switch (out.function) {
    case Function::read:
      return !(invocation && out.payload == Payload::list);
    case Function::cas:
      if (out.payload == Payload::list && out.list_size == 2) {
        out.expected = elements[out.list_begin];
        out.value = elements[out.list_begin + 1];
        out.payload = Payload::pair;
        return true;
      }
      return !invocation && (out.payload == Payload::none || out.payload == Payload::nil);
    case Function::append:
      return out.payload == Payload::integer || (!invocation && out.payload != Payload::list);
    case Function::write:
    case Function::remove:
      return out.payload != Payload::list;
  }
  return false;
}

bool at_end(json::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

}  // namespace

struct PlainLineParser::Simd {
  json::parser parser;
};

PlainLineParser::PlainLineParser() : simd_(std::make_unique<Simd>()) {}
PlainLineParser::~PlainLineParser() = default;

bool PlainLineParser::parse(std::string_view line, EventLine& out,
                            std::vector<std::int64_t>& elements) {
  json::document document;
  const simdjson::padded_string_view padded(line.data(), line.size(), line.size() + kPadding);
  if (simd_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return false;
  json::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  out = EventLine{};
  unsigned seen = 0;
  for (auto field : object) {
    json::raw_json_string raw;
    if (field.key().get(raw) != simdjson::SUCCESS) return false;
    const char* name = raw.raw();
    const auto* close = static_cast<const char*>(
        std::memchr(name, '"', static_cast<std::size_t>(line.data() + line.size() - name)));
    json::value value;
    if (close == nullptr || field.value().get(value) != simdjson::SUCCESS) return false;
    const std::string_view key(name, static_cast<std::size_t>(close - name));
    if (!read_field(key, value, out, elements, seen)) return false;
  }
  const bool ours = out.session == "nemesis" || out.session == "runner";
  return seen == kAllOfThem && !ours && at_end(document) && settle_payload(out, elements);
}

}  // namespace consistory
