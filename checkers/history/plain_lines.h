#pragma once
// PlainLines: the lines of a history, in order and in batches, the plain ones already parsed by
// other threads while the caller works on earlier ones. What comes out does not depend on timing.

#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "checkers/history/event_line.h"
#include "checkers/history/input.h"

namespace consistory {

class PlainLines {
 public:
  struct Line {
    std::string_view text;
    bool complete = false;  ///< ended by a newline
    bool plain = false;     ///< then `event` says it all
    EventLine event;
    /// Where its names stand in those of the batch; of a line without a node, kNoName.
    std::uint32_t session = 0, key = 0, node = kNoName;
  };
  static constexpr std::uint32_t kNoName = UINT32_MAX;
  struct Batch {
    std::unique_ptr<char[]> bytes;  ///< what the views in `lines` see, and padding
    std::size_t size = 0;           ///< of them in use
    std::size_t capacity = 0;       ///< without the padding
    std::vector<Line> lines;
    std::vector<std::int64_t> elements;                   ///< of the lists in `lines`
    std::vector<std::string_view> sessions, keys, nodes;  ///< of plain lines, each name once
  };

  /// A line longer than `line_max` bytes comes out cut just above it.
  PlainLines(ByteSource& source, std::size_t line_max);

  /// The next batch, valid until the next call; null after the last, and after an error.
  const Batch* next();
  const std::optional<Error>& error() const { return error_; }

 private:
  void start_one();
  bool read_lines(Batch& batch);
  bool fill(Batch& batch, std::size_t capacity);

  ByteSource& source_;
  std::size_t line_max_;
  std::size_t ahead_;
  bool at_end_ = false;
  std::string carry_;  // the beginning of a line whose end is still to be read
  std::optional<Error> error_;
  std::deque<std::future<Batch>> started_;
  Batch current_;
  Batch spare_;  // its room serves the next
};

}  // namespace consistory
