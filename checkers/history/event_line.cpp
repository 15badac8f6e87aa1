#include "checkers/history/event_line.h"

#define SIMDJSON_EXCEPTIONS 0  // every failure is a value: the line is simply not plain
#include <simdjson.h>

#include <cstring>

#include "checkers/history/flat_line.h"

namespace consistory {
namespace {

namespace json = simdjson::ondemand;
static_assert(simdjson::SIMDJSON_PADDING <= PlainLineParser::kPadding);

// Each of what follows is there twice: for a value of simdjson, and for one that a cursor is at.

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

bool read_name(FlatCursor& cursor, std::string_view& out) { return cursor.name(out); }

bool read_integer(json::value value, std::int64_t& out) {
  return value.get_int64().get(out) == simdjson::SUCCESS;
}

bool read_integer(FlatCursor& cursor, std::int64_t& out) { return cursor.integer(out); }

bool read_word(json::value value, std::string_view& out) {
  return value.get_string().get(out) == simdjson::SUCCESS;
}

bool read_word(FlatCursor& cursor, std::string_view& out) { return cursor.string(out); }

bool read_flag(json::value value, bool& out) {
  return value.get_bool().get(out) == simdjson::SUCCESS;
}

bool read_flag(FlatCursor& cursor, bool& out) {
  out = cursor.peek() == 't';
  return cursor.take(out ? std::string_view("true") : std::string_view("false"));
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

bool read_array(FlatCursor& cursor, EventLine& out, std::vector<std::int64_t>& elements) {
  out.list_begin = static_cast<std::uint32_t>(elements.size());
  if (!cursor.take('[')) return false;
  while (cursor.peek() != ']') {
    const bool first = elements.size() == out.list_begin;
    if (!first && !cursor.take(',')) return false;
    if (!cursor.integer(elements.emplace_back())) return false;
  }
  out.list_size = static_cast<std::uint32_t>(elements.size()) - out.list_begin;
  out.payload = EventLine::Payload::list;
  return cursor.take(']');
}

bool read_value(FlatCursor& cursor, EventLine& out, std::vector<std::int64_t>& elements) {
  if (cursor.peek() == '[') return read_array(cursor, out, elements);
  const bool null = cursor.peek() == 'n';
  out.payload = null ? EventLine::Payload::nil : EventLine::Payload::integer;
  return null ? cursor.take("null") : cursor.integer(out.value);
}

bool is_type(std::string_view word, EventLine& out) {
  out.outcome = outcome_named(word);
  return out.outcome || word == "invoke";
}

bool is_function(std::string_view word, EventLine& out) {
  const std::optional<Function> function = function_named(word);
  if (function) out.function = *function;
  return function.has_value();
}

enum Seen : unsigned { kProcess = 1, kType = 2, kFunction = 4, kKey = 8, kAllOfThem = 15 };

template <class Value>
bool read_field(std::string_view name, Value& value, EventLine& out,
                std::vector<std::int64_t>& elements, unsigned& seen) {
  std::int64_t ignored = 0;
  std::string_view word;
  if (name == "index") return read_integer(value, ignored);
  if (name == "time") return read_integer(value, out.time);
  if (name == "process") return seen |= kProcess, read_name(value, out.session);
  if (name == "type") return seen |= kType, read_word(value, word) && is_type(word, out);
  if (name == "f") return seen |= kFunction, read_word(value, word) && is_function(word, out);
  if (name == "key") return seen |= kKey, read_name(value, out.key);
  if (name == "value") return read_value(value, out, elements);
  if (name == "node") return read_name(value, out.node);
  if (name == "ver") return read_integer(value, out.version) && out.version != kNoVersion;
  if (name == "swapped") return read_flag(value, out.swapped);
  if (name == "final") return read_flag(value, out.final);
  if (name == "local") return read_flag(value, out.local);
  if (name == "seen") return out.seen = true, read_integer(value, out.seen_value);
  if (name == "error") return read_word(value, word);
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
    case Function::add:
    case Function::increment:
      return out.payload == Payload::integer || (!invocation && out.payload != Payload::list);
    case Function::write:
    case Function::remove:
      return out.payload != Payload::list;
  }
  return false;
}

/// Every field was read; do they make an event of a client?
bool settle(EventLine& out, const std::vector<std::int64_t>& elements, unsigned seen) {
  const bool ours = out.session == "nemesis" || out.session == "runner";
  return seen == kAllOfThem && !ours && settle_payload(out, elements);
}

bool read_flat(std::string_view line, EventLine& out, std::vector<std::int64_t>& elements) {
  FlatCursor cursor(line);
  unsigned seen = 0;
  std::string_view name;
  if (!cursor.take('{')) return false;
  do {
    const bool named = cursor.string(name) && cursor.take(':');
    if (!named || !read_field(name, cursor, out, elements, seen)) return false;
  } while (cursor.take(','));
  return cursor.take('}') && cursor.at_end() && settle(out, elements, seen);
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
  const std::size_t before = elements.size();
  out = EventLine{};
  if (read_flat(line, out, elements)) return true;
  elements.resize(before);
  return parse_any(line, out, elements);
}

/// With spaces, escapes in what is skipped, any order and any text: what simdjson takes.
bool PlainLineParser::parse_any(std::string_view line, EventLine& out,
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
  return at_end(document) && settle(out, elements, seen);
}

}  // namespace consistory
