#pragma once
// A value as a store holds it. Checkers never look inside: they compare interned ids (history.h),
// where id 0 is nil, the initial value of every register.

#include <compare>
#include <cstdint>
#include <string>

namespace consistory {

/// The largest value, in bytes, that a history may carry; larger ones are refused with their line.
constexpr std::size_t kValueBytesMax = 1 << 20;

struct Value {
  enum class Kind : std::uint8_t { nil, integer, text, json };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  ///< text: the string; json: any other JSON value, as canonical JSON

  static Value nil() { return {}; }
  static Value of(std::int64_t number) { return {Kind::integer, number, {}}; }
  static Value of(std::string string) { return {Kind::text, 0, std::move(string)}; }
  static Value of_json(std::string dumped) { return {Kind::json, 0, std::move(dumped)}; }

  bool is_nil() const { return kind == Kind::nil; }
  auto operator<=>(const Value&) const = default;
};

/// For people: `nil`, `7`, `"seven"`. Raw bytes: escape before showing.
inline std::string to_string(const Value& value) {
  switch (value.kind) {
    case Value::Kind::nil:
      return "nil";
    case Value::Kind::integer:
      return std::to_string(value.integer);
    case Value::Kind::text:
      return '"' + value.text + '"';
    case Value::Kind::json:
      return value.text;
  }
  return {};
}

}  // namespace consistory
