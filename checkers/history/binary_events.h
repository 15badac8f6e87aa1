#pragma once
// The binary history: the events of history.jsonl at a tenth of the size, for very long runs, in
// blocks that each carry a checksum. What a line says beyond the plain form (EventLine) is kept as
// its text, so that nothing is lost. `consistory convert` turns either form into the other.
//
//   file    "CSTBIN01", then blocks
//   block   u32 bytes of the body, u32 events, u64 XXH3 of the body, u64 XXH3 of these sixteen
//           bytes; then the body. Little endian.
//   body    three tables of names (sessions, keys, nodes), each: count, then (length, bytes)...
//           then the events, each: a byte
//             0xff: a line as it stands in history.jsonl, the header first: length, bytes
//             else type | function << 2 | payload << 5, in the order of the enums, type 0 invoke;
//             flags (1 swapped, 2 final, 4 local, 8 seen, 16 version, 32 node); session; key;
//             node, if there is one; time since the event before, signed; the payload (an integer,
//             the old and the new one of a pair, or a count and elements); seen; version
//   numbers are LEB128, signed ones in zigzag; times start from 0 in each block.
//
// A block stands for itself. The last may be torn, as the last line of history.jsonl may; a block
// whose checksum does not fit is an error.

#include <memory>

#include "checkers/history/event_batch.h"
#include "checkers/history/input.h"

namespace consistory {

constexpr std::string_view kBinaryMagic = "CSTBIN01";
/// The longest body of a block.
constexpr std::size_t kBlockBytesMax = 128U << 20;
/// The most events of a block, and so the most names.
constexpr std::uint32_t kBlockEventsMax = 1U << 18;

/// Reads the blocks of a binary history, the magic left behind. Hostile input is an error with the
/// offset of its block.
class BinaryEvents final : public EventBatches {
 public:
  BinaryEvents(ByteSource& source, std::string name);

  const EventBatch* next() override;
  const std::optional<Error>& error() const override { return error_; }
  std::vector<std::string> notes() const override { return notes_; }

 private:
  struct Frame {
    std::uint32_t size = 0;
    std::uint32_t events = 0;
    std::uint64_t checksum = 0;
  };
  bool read_frame(Frame& frame);
  bool read_body(std::size_t size);
  void note_tear();
  const EventBatch* refuse(std::string_view what);

  ByteSource& source_;
  std::string name_;
  std::uint64_t offset_ = kBinaryMagic.size();
  std::optional<Error> error_;
  std::vector<std::string> notes_;
  EventBatch batch_;
};

/// The events of a history in either form, told by its first bytes. `source` must outlive it.
std::unique_ptr<EventBatches> open_events(ByteSource& source, const std::string& name);

}  // namespace consistory
