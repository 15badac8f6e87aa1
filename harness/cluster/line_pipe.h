#pragma once
// Lines to and from a child process that is not trusted: bounded in length and in time.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/descriptor.h"

namespace consistory {

/// Our ends of a child's standard input and output. Used by one thread at a time.
class LinePipe {
 public:
  static constexpr std::size_t kLineBytesMax = 4 << 20;

  LinePipe() = default;
  LinePipe(Descriptor input, Descriptor output);

  /// False if not all of it was taken before the deadline (monotonic); trouble() tells why.
  bool send(std::string_view bytes, Nanos deadline);
  bool send_line(const std::string& line, Nanos deadline) { return send(line + "\n", deadline); }
  /// The next line, without its end; nothing if none came, and trouble() tells why.
  std::optional<std::string> receive_line(Nanos deadline);
  /// "timeout", "died" or "answer-too-long".
  const std::string& trouble() const { return trouble_; }

 private:
  Descriptor input_, output_;
  std::string received_;
  std::string trouble_;
};

}  // namespace consistory
