#include "checkers/history/plain_lines.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"

namespace consistory {
namespace {

constexpr std::size_t kPieceBytes = 1U << 20;
/// No line about an operation is shorter; bounds what is set aside for the lines of a piece.
constexpr std::size_t kLineBytesLikely = 80;

PlainLines::Batch parse(std::unique_ptr<char[]> bytes, std::size_t size) {
  thread_local PlainLineParser parser;
  PlainLines::Batch batch;
  std::string_view text(bytes.get(), size);
  batch.bytes = std::move(bytes);
  batch.lines.reserve(size / kLineBytesLikely + 1);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    PlainLines::Line& line = batch.lines.emplace_back();
    line.complete = end != std::string_view::npos;
    line.text = text.substr(0, end);
    line.plain = line.complete && parser.parse(line.text, line.event, batch.elements);
    text.remove_prefix(line.complete ? end + 1 : text.size());
  }
  return batch;
}

}  // namespace

PlainLines::PlainLines(ByteSource& source, std::size_t line_max)
    : source_(source), line_max_(line_max), ahead_(std::min<std::size_t>(worker_count(), 8)) {}

/// Reads until the piece is full or the source at its end; false at an error.
bool PlainLines::fill(Piece& piece, std::size_t capacity) {
  while (piece.size < capacity && !at_end_) {
    const Result<std::size_t> got =
        source_.read(piece.bytes.get() + piece.size, capacity - piece.size);
    if (!got) error_ = got.error();
    if (!got) return false;
    piece.size += *got;
    at_end_ = *got == 0;
  }
  return true;
}

/// Whole lines, but for the last of the source and for lines over the bound.
PlainLines::Piece PlainLines::read_piece() {
  for (std::size_t capacity = carry_.size() + kPieceBytes;; capacity *= 2) {
    Piece piece{std::make_unique_for_overwrite<char[]>(capacity + PlainLineParser::kPadding),
                carry_.size()};
    std::copy(carry_.begin(), carry_.end(), piece.bytes.get());
    carry_.clear();
    if (!fill(piece, capacity)) return {};
    if (at_end_) return piece;
    const std::string_view text(piece.bytes.get(), piece.size);
    const std::size_t last = text.rfind('\n');
    const bool too_long = last == std::string_view::npos && piece.size > line_max_;
    if (too_long) return piece;
    const std::size_t whole = last == std::string_view::npos ? 0 : last + 1;
    carry_ = text.substr(whole);
    piece.size = whole;
    if (whole > 0) return piece;
  }
}

void PlainLines::start_one() {
  if (at_end_ || error_) return;
  Piece piece = read_piece();
  if (piece.size == 0) return;
  std::memset(piece.bytes.get() + piece.size, 0, PlainLineParser::kPadding);
  started_.push_back(std::async(std::launch::async, parse, std::move(piece.bytes), piece.size));
}

const PlainLines::Batch* PlainLines::next() {
  while (started_.size() < ahead_ && !at_end_ && !error_) start_one();
  if (started_.empty()) return nullptr;
  current_ = started_.front().get();
  started_.pop_front();
  start_one();
  return &current_;
}

}  // namespace consistory
