#pragma once
// Reads history.jsonl (DESIGN §4.2). The file is untrusted: bounded, never trusted to be ordered or
// complete. A torn last line is legal and noted; anything else that is wrong is an error with its
// file, line and column.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/event.h"
#include "checkers/history/history.h"

namespace consistory {

struct Recording {
  History history;
  std::vector<Mark> marks;
  std::vector<std::string> promised;  ///< from the header
  std::string store;                  ///< from the header
  std::vector<std::string> notes;     ///< torn last line, unknown fields, operations left open
};

/// `name` is what messages call the input.
Result<Recording> parse_recording(std::string_view content, const std::string& name);

/// The same from a file, or from standard input for "-". In memory at once is a window of the file
/// and the history itself.
Result<Recording> read_recording(const std::string& path, const std::string& name);

}  // namespace consistory
