#include "base/duration.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/escape.h"

namespace consistory {
namespace {

Nanos unit_of(std::string_view name) {
  if (name == "us") return 1'000;
  if (name == "ms") return kMillisecond;
  if (name == "s") return kSecond;
  if (name == "m") return 60 * kSecond;
  if (name == "h") return 3600 * kSecond;
  return 0;
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string shown = shorten(escape_terminal(text), 40);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (status != std::errc{} || !std::isfinite(number) || number <= 0) {
    return usage_error(
        fmt::format("\"{}\" is not a duration: write a positive number with a unit,"
                    " such as 250ms, 5s or 2m",
                    shown));
  }
  if (unit.empty()) {
    return usage_error(fmt::format("duration \"{0}\" has no unit: write {0}s or {0}ms", shown));
  }
  const Nanos scale = unit_of(unit);
  if (scale == 0) {
    return usage_error(
        fmt::format("duration \"{}\" has an unknown unit (known: us, ms, s, m, h)", shown));
  }
  const double span = number * static_cast<double>(scale);
  if (span < 1 || span > 24.0 * 3600 * kSecond) {
    return usage_error(fmt::format("duration \"{}\" is out of range (up to 24h)", shown));
  }
  return static_cast<Nanos>(std::llround(span));
}

std::string format_duration(Nanos span) {
  const auto scaled = [&](Nanos unit, const char* name) {
    std::string text = fmt::format("{:.3f}", static_cast<double>(span) / static_cast<double>(unit));
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text + name;
  };
  if (span >= kSecond) return scaled(kSecond, "s");
  if (span >= kMillisecond) return scaled(kMillisecond, "ms");
  return scaled(1'000, "us");
}

}  // namespace consistory
