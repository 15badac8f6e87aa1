#pragma once
// EventLine: one line of history.jsonl about a client operation, in its plain form: integers for
// values, no unknown fields. Nearly every line of a long history is; PlainLineParser reads those at
// the speed of the disk (flat_line.h, and simdjson for those with spaces or odd strings) and leaves
// all others, wrong ones above all, to the careful reader of recording.cpp, which can say what is
// wrong.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "checkers/history/operation.h"

namespace consistory {

struct EventLine {
  /// How "value" stood there.
  enum class Payload : std::uint8_t { none, nil, integer, pair, list };

  std::optional<Outcome> outcome;  ///< none: the invocation
  Function function = Function::read;
  Payload payload = Payload::none;
  bool swapped = true;
  bool final = false;
  bool local = false;
  bool seen = false;
  std::string_view session, key, node;  ///< views of the line; node may be empty
  Nanos time = 0;
  std::int64_t value = 0;     ///< integer; or the new one of a pair
  std::int64_t expected = 0;  ///< the old one of a pair
  std::int64_t seen_value = 0;
  std::int64_t version = kNoVersion;
  std::uint32_t list_begin = 0;  ///< into the `elements` given to parse()
  std::uint32_t list_size = 0;
};

/// Not thread-safe: one for each thread.
class PlainLineParser {
 public:
  /// What simdjson may read, not use, beyond a line.
  static constexpr std::size_t kPadding = 64;

  PlainLineParser();
  ~PlainLineParser();

  /// False if the line is anything but plain; then `out` is unspecified. At least kPadding readable
  /// bytes must follow the line, the first of them a newline or zero.
  bool parse(std::string_view line, EventLine& out, std::vector<std::int64_t>& elements);

 private:
  bool parse_any(std::string_view line, EventLine& out, std::vector<std::int64_t>& elements);

  struct Simd;
  std::unique_ptr<Simd> simd_;
};

}  // namespace consistory
