#include "checkers/history/plain_lines.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/parallel.h"
#include "checkers/history/names.h"

namespace consistory {
namespace {

constexpr std::size_t kPieceBytes = 1U << 19;
/// No line about an operation is shorter; bounds what is set aside for the lines of a piece.
constexpr std::size_t kLineBytesLikely = 80;

/// Gives the names of a batch their numbers, so that whoever takes its lines need not.
class Naming {
 public:
  explicit Naming(EventBatch& batch)
      : sessions_(batch.sessions), keys_(batch.keys), nodes_(batch.nodes) {}

  void name(EventBatch::Line& line) {
    line.session = sessions_.intern(line.event.session);
    line.key = keys_.intern(line.event.key);
    line.node = line.event.node.empty() ? EventBatch::kNoName : nodes_.intern(line.event.node);
  }

 private:
  NamesOf<std::string_view> sessions_, keys_, nodes_;
};

EventBatch parse(EventBatch batch) {
  PlainLineParser parser;
  std::string_view text(batch.bytes.get(), batch.size);
  for (auto* names : {&batch.sessions, &batch.keys, &batch.nodes}) names->clear();
  Naming naming(batch);
  batch.elements.clear();
  batch.lines.clear();
  batch.lines.reserve(batch.size / kLineBytesLikely + 1);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    EventBatch::Line& line = batch.lines.emplace_back();
    line.complete = end != std::string_view::npos;
    line.text = text.substr(0, end);
    line.plain = line.complete && parser.parse(line.text, line.event, batch.elements);
    if (line.plain) naming.name(line);
    text.remove_prefix(line.complete ? end + 1 : text.size());
  }
  return batch;
}

}  // namespace

PlainLines::PlainLines(ByteSource& source, std::size_t line_max)
    : source_(source), line_max_(line_max), ahead_(std::min<std::size_t>(worker_count(), 8) + 2) {}

/// Reads until `capacity` bytes are there or the source is at its end; false at an error.
bool PlainLines::fill(EventBatch& batch, std::size_t capacity) {
  batch.reserve(capacity);
  while (batch.size < capacity && !at_end_) {
    const Result<std::size_t> got =
        source_.read(batch.bytes.get() + batch.size, capacity - batch.size);
    if (!got) error_ = got.error();
    if (!got) return false;
    batch.size += *got;
    at_end_ = *got == 0;
  }
  return true;
}

/// Whole lines, but for the last of the source and for lines over the bound; false if none is left.
bool PlainLines::read_lines(EventBatch& batch) {
  batch.size = 0;
  batch.reserve(carry_.size());
  std::copy(carry_.begin(), carry_.end(), batch.bytes.get());
  batch.size = std::exchange(carry_, {}).size();
  for (std::size_t capacity = batch.size + kPieceBytes;; capacity *= 2) {
    if (!fill(batch, capacity)) return false;
    if (at_end_) return batch.size > 0;
    const std::string_view text(batch.bytes.get(), batch.size);
    const std::size_t last = text.rfind('\n');
    if (last == std::string_view::npos && batch.size <= line_max_) continue;
    if (last == std::string_view::npos) return true;
    carry_ = text.substr(last + 1);
    batch.size = last + 1;
    return true;
  }
}

void PlainLines::start_one() {
  if (at_end_ || error_) return;
  EventBatch batch = std::exchange(spare_, {});
  if (!read_lines(batch)) return;
  std::memset(batch.bytes.get() + batch.size, 0, PlainLineParser::kPadding);
  started_.push_back(std::async(std::launch::async, parse, std::move(batch)));
}

const EventBatch* PlainLines::next() {
  while (started_.size() < ahead_ && !at_end_ && !error_) start_one();
  if (started_.empty()) return nullptr;
  spare_ = std::exchange(current_, started_.front().get());
  started_.pop_front();
  start_one();
  return &current_;
}

}  // namespace consistory
