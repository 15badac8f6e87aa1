#pragma once
// FlatCursor: walks one line of JSON in the form that journals and generators write: no spaces, no
// escapes, strings of plain ASCII, integers of at most 18 digits. A history of a million operations
// has two million such lines, and they are so short that a general parser's setup for each would
// cost more than the walk. What the cursor declines (it only ever says false) is for simdjson.

#include <cstdint>
#include <string_view>

namespace consistory {

class FlatCursor {
 public:
  /// The character after the line must be readable, and be none that could continue a token: a
  /// newline, or zero.
  explicit FlatCursor(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool at_end() const { return at_ == end_; }
  char peek() const { return *at_; }

  bool take(char expected) {
    if (*at_ != expected) return false;
    ++at_;
    return true;
  }

  bool take(std::string_view expected) {
    for (const char c : expected) {
      if (!take(c)) return false;
    }
    return true;
  }

  bool string(std::string_view& out) {
    if (!take('"')) return false;
    const char* begin = at_;
    while (is_plain(*at_)) ++at_;
    out = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
    return take('"');
  }

  bool integer(std::int64_t& out) {
    const bool negative = take('-');
    const char* begin = at_;
    std::int64_t magnitude = 0;
    while (is_digit(*at_) && at_ - begin < kDigitsMax) magnitude = magnitude * 10 + (*at_++ - '0');
    const bool zero_first = *begin == '0' && (at_ - begin > 1 || negative);
    out = negative ? -magnitude : magnitude;
    return at_ > begin && !zero_first && ends_number(*at_);
  }

  /// A string, or an integer as it stands.
  bool name(std::string_view& out) {
    if (*at_ == '"') return string(out);
    const char* begin = at_;
    std::int64_t ignored = 0;
    if (!integer(ignored)) return false;
    out = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
    return true;
  }

 private:
  static constexpr std::ptrdiff_t kDigitsMax = 18;  // all of them fit 64 bits

  static bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool ends_number(char c) { return c == ',' || c == '}' || c == ']'; }

  const char* at_;
  const char* end_;
};

}  // namespace consistory
