#include "harness/stores/value_text.h"

#include <array>
#include <cstdint>

#include "checkers/history/json_input.h"

namespace consistory {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string text_of(const Value& value) {
  return json_from_value(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Value value_of_text(std::string_view text) {
  const Json json = parse_untrusted(text);
  if (json.is_discarded()) return Value::of(std::string(text.substr(0, kValueBytesMax)));
  const Result<Value> value = value_from_json(json, "answer");
  return value ? *value : Value::of(value.error().message);
}

std::vector<Value> elements_of_text(std::string_view text) {
  std::vector<Value> elements;
  std::size_t begin = 0;
  for (std::size_t comma; (comma = text.find(',', begin)) != std::string_view::npos;
       begin = comma + 1) {
    elements.push_back(value_of_text(text.substr(begin, comma - begin)));
  }
  if (begin < text.size()) elements.push_back(value_of_text(text.substr(begin)));  // none of ours
  return elements;
}

std::string base64_of(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) break;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 255);
  }
  return bytes;
}

}  // namespace consistory
