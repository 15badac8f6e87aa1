#pragma once
// What every JSON reader of histories shares: bounds on hostile input, positions in messages, and
// JSON values turned into Values. Included by the readers' .cpp files only (it is a heavy header).

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/builder.h"

namespace consistory {

/// The longest line, in bytes, of a history file.
constexpr std::size_t kLineBytesMax = 64U << 20;
/// The deepest nesting of a JSON line.
constexpr int kJsonDepthMax = 32;

using Json = nlohmann::ordered_json;

/// Parses one line; errors carry `place` ("file:line") and the column.
Result<Json> parse_json_line(std::string_view line, const std::string& place);

/// What a store or a plugin sent; discarded if it is no JSON, or nested deeper than kJsonDepthMax.
Json parse_untrusted(std::string_view text);

/// A scalar, or any other JSON as its text; refuses what is over kValueBytesMax.
Result<Value> value_from_json(const Json& json, const std::string& place);

/// The same value as JSON.
Json json_from_value(const Value& value);

/// The name of a session: integers and strings alike.
std::optional<std::string> name_from_json(const Json& json);

/// The same name as JSON: those that are numbers as numbers.
Json json_from_name(std::string_view name);

/// Reads "value", "ver", "swapped", "seen", "final", "local" and "node" into `raw`, whose function
/// and outcome are set. Wrong types are errors at `place` ("file:line").
/// With `completion`, an update may leave its "value" out or null: `raw` has it from the
/// invocation.
std::optional<Error> read_payload(const Json& object, RawOperation& raw, const std::string& place,
                                  bool completion = false);

}  // namespace consistory
