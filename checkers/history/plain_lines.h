#pragma once
// PlainLines: the lines of a history, in order and in batches, the plain ones already parsed by
// other threads while the caller works on earlier ones. What comes out does not depend on timing.

#include <deque>
#include <future>
#include <optional>
#include <string>

#include "checkers/history/event_batch.h"
#include "checkers/history/input.h"

namespace consistory {

class PlainLines final : public EventBatches {
 public:
  /// A line longer than `line_max` bytes comes out cut just above it.
  PlainLines(ByteSource& source, std::size_t line_max);

  const EventBatch* next() override;
  const std::optional<Error>& error() const override { return error_; }

 private:
  void start_one();
  bool read_lines(EventBatch& batch);
  bool fill(EventBatch& batch, std::size_t capacity);

  ByteSource& source_;
  std::size_t line_max_;
  std::size_t ahead_;
  bool at_end_ = false;
  std::string carry_;  // the beginning of a line whose end is still to be read
  std::optional<Error> error_;
  std::deque<std::future<EventBatch>> started_;
  EventBatch current_;
  EventBatch spare_;  // its room serves the next
};

}  // namespace consistory
