#include "checkers/history/json_input.h"

#include <fmt/format.h>

#include "base/escape.h"

namespace consistory {
namespace {

Error at(const std::string& place, std::string_view what) {
  return usage_error(fmt::format("{}: {}", place, what));
}

std::optional<Error> read_elements(const Json& array, RawOperation& raw, const std::string& place) {
  raw.elements.emplace();
  for (const Json& element : array) {
    Result<Value> value = value_from_json(element, place);
    if (!value) return value.error();
    raw.elements->push_back(std::move(*value));
  }
  return std::nullopt;
}

std::optional<Error> read_cas(const Json& pair, RawOperation& raw, const std::string& place) {
  if (!pair.is_array() || pair.size() != 2) {
    return at(place, "the value of a cas must be [old, new]");
  }
  Result<Value> expected = value_from_json(pair[0], place);
  if (!expected) return expected.error();
  Result<Value> value = value_from_json(pair[1], place);
  if (!value) return value.error();
  raw.expected = std::move(*expected);
  raw.value = std::move(*value);
  return std::nullopt;
}

std::optional<Error> read_value(const Json& object, RawOperation& raw, const std::string& place,
                                bool completion) {
  const auto found = object.find("value");
  const bool absent = found == object.end() || found->is_null();
  if (completion && absent && raw.function != Function::read) return std::nullopt;
  if (found == object.end()) {
    const bool bare = raw.function == Function::read || raw.function == Function::write ||
                      raw.function == Function::remove;
    if (!bare) {
      return at(place, fmt::format("a {} needs a \"value\"", name_of(raw.function)));
    }
    return std::nullopt;
  }
  if (raw.function == Function::cas) return read_cas(*found, raw, place);
  if (raw.function == Function::remove) return std::nullopt;
  if (raw.function == Function::read && found->is_array()) return read_elements(*found, raw, place);
  Result<Value> value = value_from_json(*found, place);
  if (!value) return value.error();
  raw.value = std::move(*value);
  return std::nullopt;
}

std::optional<Error> read_flag(const Json& object, const char* name, bool& flag,
                               const std::string& place) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_boolean()) return at(place, fmt::format("\"{}\" must be true or false", name));
  flag = found->get<bool>();
  return std::nullopt;
}

}  // namespace

Result<Json> parse_json_line(std::string_view line, const std::string& place) {
  bool too_deep = false;
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kJsonDepthMax;
    return !too_deep;
  };
  try {
    Json parsed = Json::parse(line, limit_depth);
    if (too_deep) return at(place, fmt::format("nested deeper than {} levels", kJsonDepthMax));
    if (!parsed.is_object()) return at(place, "expected a JSON object on this line");
    return parsed;
  } catch (const Json::parse_error& error) {
    return usage_error(fmt::format("{}:{}: not JSON: expected one object a line, found \"{}\"",
                                   place, error.byte,
                                   shorten(escape_terminal(line.substr(0, 200)), 40)));
  } catch (const Json::out_of_range&) {
    return at(place, "a number is out of the range of numbers");
  }
}

Json parse_untrusted(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      else if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) return Json(Json::value_t::discarded);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return Json::parse(text, nullptr, false);
}

Result<Value> value_from_json(const Json& json, const std::string& place) {
  if (json.is_null()) return Value::nil();
  if (json.is_number_integer() &&
      !(json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)) {
    return Value::of(json.get<std::int64_t>());
  }
  Value value = json.is_string()
                    ? Value::of(json.get<std::string>())
                    : Value::of_json(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (value.text.size() > kValueBytesMax) {
    return at(place, fmt::format("a value of {} bytes is over the bound of {} (1 MiB)",
                                 value.text.size(), kValueBytesMax));
  }
  return value;
}

Json json_from_value(const Value& value) {
  switch (value.kind) {
    case Value::Kind::nil:
      return nullptr;
    case Value::Kind::integer:
      return value.integer;
    case Value::Kind::text:
      return value.text;
    case Value::Kind::json:
      return Json::parse(value.text, nullptr, false);
  }
  return nullptr;
}

std::optional<std::string> name_from_json(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_integer()) return json.dump();
  return std::nullopt;
}

Json json_from_name(std::string_view name) {
  const bool digits = !name.empty() && name.size() < 10 && (name.size() == 1 || name[0] != '0') &&
                      name.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) return std::stoll(std::string(name));
  return std::string(name);
}

std::optional<Error> read_payload(const Json& object, RawOperation& raw, const std::string& place,
                                  bool completion) {
  if (auto error = read_value(object, raw, place, completion)) return error;
  if (auto error = read_flag(object, "swapped", raw.swapped, place)) return error;
  if (auto error = read_flag(object, "final", raw.final, place)) return error;
  if (auto error = read_flag(object, "local", raw.local, place)) return error;
  if (const auto ver = object.find("ver"); ver != object.end() && !ver->is_null()) {
    if (!ver->is_number_integer()) return at(place, "\"ver\" must be an integer");
    raw.version = ver->get<std::int64_t>();
  }
  if (const auto seen = object.find("seen"); seen != object.end()) {
    Result<Value> value = value_from_json(*seen, place);
    if (!value) return value.error();
    raw.seen = std::move(*value);
  }
  if (const auto node = object.find("node"); node != object.end() && !node->is_null()) {
    raw.node = name_from_json(*node);
    if (!raw.node) return at(place, "\"node\" must be a string");
  }
  return std::nullopt;
}

}  // namespace consistory
