#pragma once
// Where the bytes of a history come from: a file, standard input, or memory. Read in pieces, so
// that a long history is never in memory twice.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace consistory {

/// Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// How many bytes will come, about; 0: nobody knows.
  virtual std::size_t size_hint() const { return 0; }
  /// Up to `size` bytes; 0 only at the end.
  virtual Result<std::size_t> read(char* into, std::size_t size) = 0;
};

/// A file, or standard input for "-".
Result<std::unique_ptr<ByteSource>> open_input(const std::string& path);

/// Reads from `content`, which must outlive the source.
std::unique_ptr<ByteSource> memory_input(std::string_view content);

/// All of a file, or of standard input for "-".
Result<std::string> read_input(const std::string& path);

}  // namespace consistory
