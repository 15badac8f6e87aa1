#pragma once
// EventBatch: some consecutive events of a history as a file tells them, whatever its format.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/event_line.h"

namespace consistory {

struct EventBatch {
  static constexpr std::uint32_t kNoName = UINT32_MAX;

  struct Line {
    std::string_view text;  ///< unless `plain`, all that is known of it
    bool complete = false;  ///< ended by a newline, or by its own length
    bool plain = false;     ///< then `event` says it all, its names aside
    EventLine event;
    /// Where its names stand in those of the batch; of a line without a node, kNoName.
    std::uint32_t session = 0, key = 0, node = kNoName;
  };

  std::unique_ptr<char[]> bytes;  ///< what the views in `lines` see, and padding
  std::size_t size = 0;           ///< of them in use
  std::size_t capacity = 0;       ///< without the padding
  std::vector<Line> lines;
  std::vector<std::int64_t> elements;                   ///< of the lists in `lines`
  std::vector<std::string_view> sessions, keys, nodes;  ///< of plain lines, each name once

  /// Room for so many bytes and the padding; the bytes in use stay.
  void reserve(std::size_t capacity_wanted);
};

/// Not thread-safe.
class EventBatches {
 public:
  virtual ~EventBatches() = default;
  /// The next batch, valid until the next call; null after the last, and after an error.
  virtual const EventBatch* next() = 0;
  virtual const std::optional<Error>& error() const = 0;
  /// What was left out, for people.
  virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace consistory
