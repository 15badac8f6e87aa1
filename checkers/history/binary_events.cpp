#include "checkers/history/binary_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "checkers/history/json_input.h"
#include "checkers/history/plain_lines.h"

namespace consistory {
namespace {

constexpr std::size_t kFrameBytes = 24;
constexpr unsigned char kRawLine = 0xff;

/// Reads a body; once anything is wrong, everything is.
class Decoder {
 public:
  explicit Decoder(std::string_view body) : rest_(body) {}

  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

  unsigned char byte() {
    if (rest_.empty()) return fail(), 0;
    const auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned char next = byte();
      value |= std::uint64_t{next & 0x7fU} << shift;
      if (next < 0x80) return value;
    }
    return fail(), 0;
  }

  std::int64_t signed_number() {
    const std::uint64_t zigzag = number();
    return static_cast<std::int64_t>(zigzag >> 1 ^ (0 - (zigzag & 1)));
  }

  std::string_view bytes() {
    const std::uint64_t size = number();
    if (size > rest_.size()) return fail(), std::string_view();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  /// Each takes a byte at least, so a count beyond the rest is wrong.
  std::size_t count() {
    const std::uint64_t count = number();
    if (count > rest_.size()) return fail(), 0;
    return count;
  }

  /// One of the first `end` numbers.
  std::uint32_t below(std::size_t end) {
    const std::uint64_t value = number();
    if (value >= end) return fail(), 0;
    return static_cast<std::uint32_t>(value);
  }

 private:
  void fail() {
    good_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool good_ = true;
};

void read_payload(Decoder& in, EventLine& event, std::vector<std::int64_t>& elements) {
  using Payload = EventLine::Payload;
  if (event.payload == Payload::pair) event.expected = in.signed_number();
  if (event.payload == Payload::integer || event.payload == Payload::pair)
    event.value = in.signed_number();
  if (event.payload != Payload::list) return;
  event.list_begin = static_cast<std::uint32_t>(elements.size());
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count; ++i) elements.push_back(in.signed_number());
  event.list_size = static_cast<std::uint32_t>(count);
}

/// The combinations that a plain line can have (settle_payload of event_line.cpp).
bool fits(const EventLine& event) {
  using Payload = EventLine::Payload;
  const bool invocation = !event.outcome;
  switch (event.function) {
    case Function::read:
      return event.payload != Payload::pair && !(invocation && event.payload == Payload::list);
    case Function::cas:
      return event.payload == Payload::pair ||
             (!invocation && (event.payload == Payload::none || event.payload == Payload::nil));
    case Function::append:
    case Function::add:
    case Function::increment:
      return event.payload == Payload::integer ||
             (!invocation && event.payload != Payload::list && event.payload != Payload::pair);
    case Function::write:
    case Function::remove:
      return event.payload != Payload::list && event.payload != Payload::pair;
  }
  return false;
}

bool read_event(Decoder& in, unsigned char first, Nanos& time, EventBatch& batch) {
  EventBatch::Line& line = batch.lines.emplace_back();
  EventLine& event = line.event;
  const unsigned function = first >> 2 & 7U;
  const unsigned payload = first >> 5;
  if (function > 6 || payload > 4) return false;
  if ((first & 3U) > 0) event.outcome = static_cast<Outcome>((first & 3U) - 1);
  event.function = static_cast<Function>(function);
  event.payload = static_cast<EventLine::Payload>(payload);
  const unsigned char flags = in.byte();
  event.swapped = (flags & 1U) != 0;
  event.final = (flags & 2U) != 0;
  event.local = (flags & 4U) != 0;
  event.seen = (flags & 8U) != 0;
  line.session = in.below(batch.sessions.size());
  line.key = in.below(batch.keys.size());
  if ((flags & 32U) != 0) line.node = in.below(batch.nodes.size());
  time = static_cast<Nanos>(static_cast<std::uint64_t>(time) +
                            static_cast<std::uint64_t>(in.signed_number()));
  event.time = time;
  read_payload(in, event, batch.elements);
  if (event.seen) event.seen_value = in.signed_number();
  if ((flags & 16U) != 0) event.version = in.signed_number();
  line.plain = line.complete = true;
  return in.good() && fits(event);
}

bool decode(std::string_view body, std::uint32_t events, EventBatch& batch) {
  Decoder in(body);
  for (auto* names : {&batch.sessions, &batch.keys, &batch.nodes}) {
    names->clear();
    const std::size_t count = in.count();
    if (count > kBlockEventsMax) return false;
    for (std::size_t i = 0; i < count; ++i) names->push_back(in.bytes());
  }
  batch.lines.clear();
  batch.elements.clear();
  Nanos time = 0;
  while (in.good() && !in.at_end() && batch.lines.size() < events) {
    const unsigned char first = in.byte();
    if (first == kRawLine) {
      EventBatch::Line& line = batch.lines.emplace_back();
      line.text = in.bytes();
      line.complete = true;
    } else if (!read_event(in, first, time, batch)) {
      return false;
    }
  }
  return in.good() && in.at_end() && batch.lines.size() == events;
}

/// Less than asked for only at the end of the source.
Result<std::size_t> read_fully(ByteSource& source, char* into, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    const Result<std::size_t> got = source.read(into + have, size - have);
    if (!got) return got.error();
    if (*got == 0) break;
    have += *got;
  }
  return have;
}

/// A source whose beginning was looked at.
class Resumed final : public ByteSource {
 public:
  Resumed(std::string beginning, ByteSource& rest)
      : beginning_(std::move(beginning)), rest_(rest) {}

  Result<std::size_t> read(char* into, std::size_t size) override {
    if (at_ == beginning_.size()) return rest_.read(into, size);
    const std::size_t now = std::min(size, beginning_.size() - at_);
    std::copy_n(beginning_.data() + at_, now, into);
    at_ += now;
    return now;
  }

 private:
  std::string beginning_;
  std::size_t at_ = 0;
  ByteSource& rest_;
};

/// JSON lines, with the beginning that was looked at.
class ResumedLines final : public EventBatches {
 public:
  ResumedLines(std::string beginning, ByteSource& source)
      : source_(std::move(beginning), source), lines_(source_, kLineBytesMax) {}

  const EventBatch* next() override { return lines_.next(); }
  const std::optional<Error>& error() const override { return lines_.error(); }

 private:
  Resumed source_;
  PlainLines lines_;
};

}  // namespace

BinaryEvents::BinaryEvents(ByteSource& source, std::string name)
    : source_(source), name_(std::move(name)) {}

const EventBatch* BinaryEvents::refuse(std::string_view what) {
  error_ = usage_error(fmt::format("{}: the block at byte {} {}", name_, offset_, what));
  return nullptr;
}

/// False at the end of the source, whole or torn.
bool BinaryEvents::read_frame(Frame& frame) {
  char bytes[kFrameBytes];
  const Result<std::size_t> got = read_fully(source_, bytes, kFrameBytes);
  if (!got) error_ = got.error();
  if (!got || *got == 0) return false;
  if (*got < kFrameBytes) return note_tear(), false;
  std::uint64_t checksum = 0;
  std::memcpy(&frame.size, bytes, 4);
  std::memcpy(&frame.events, bytes + 4, 4);
  std::memcpy(&frame.checksum, bytes + 8, 8);
  std::memcpy(&checksum, bytes + 16, 8);
  if (XXH3_64bits(bytes, 16) != checksum)
    return refuse("is damaged: the checksum of its beginning does not fit"), false;
  if (frame.size > kBlockBytesMax || frame.events > kBlockEventsMax)
    return refuse("claims more than 128 MiB or 262144 events"), false;
  return true;
}

/// Piece by piece, so that a length takes no memory that the file does not have.
bool BinaryEvents::read_body(std::size_t size) {
  constexpr std::size_t kPiece = 1U << 20;
  batch_.size = 0;
  while (batch_.size < size) {
    const std::size_t piece = std::min<std::size_t>(kPiece, size - batch_.size);
    batch_.reserve(std::max(batch_.size + piece, std::min<std::size_t>(batch_.size * 2, size)));
    const Result<std::size_t> got = read_fully(source_, batch_.bytes.get() + batch_.size, piece);
    if (!got) error_ = got.error();
    if (!got) return false;
    batch_.size += *got;
    if (*got < piece) return note_tear(), false;
  }
  return true;
}

void BinaryEvents::note_tear() {
  notes_.push_back(
      fmt::format("{}: the last block, at byte {}, is torn and was left out", name_, offset_));
}

const EventBatch* BinaryEvents::next() {
  Frame frame;
  if (error_ || !read_frame(frame) || !read_body(frame.size)) return nullptr;
  const std::string_view body(batch_.bytes.get(), batch_.size);
  if (XXH3_64bits(body.data(), body.size()) != frame.checksum)
    return refuse("is damaged: its checksum does not fit");
  if (!decode(body, frame.events, batch_)) return refuse("is not what this version writes");
  offset_ += kFrameBytes + frame.size;
  return &batch_;
}

std::unique_ptr<EventBatches> open_events(ByteSource& source, const std::string& name) {
  std::string beginning(kBinaryMagic.size(), '\0');
  const Result<std::size_t> got = read_fully(source, beginning.data(), beginning.size());
  beginning.resize(got ? *got : 0);  // the error comes again to whoever reads on
  if (beginning == kBinaryMagic) return std::make_unique<BinaryEvents>(source, name);
  return std::make_unique<ResumedLines>(std::move(beginning), source);
}

}  // namespace consistory
