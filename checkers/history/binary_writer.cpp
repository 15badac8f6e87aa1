#include "checkers/history/binary_writer.h"

#include <fmt/format.h>

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "checkers/history/json_input.h"
#include "checkers/history/names.h"

namespace consistory {
namespace {

constexpr std::size_t kBlockBytes = 1U << 20;
constexpr char kRawLine = '\xff';

void put_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void put_signed(std::string& out, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  put_number(out, bits << 1 ^ (number < 0 ? ~std::uint64_t{0} : 0));
}

void put_bytes(std::string& out, std::string_view bytes) {
  put_number(out, bytes.size());
  out += bytes;
}

template <class Number>
void put_fixed(std::string& out, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

/// A block as it fills.
class Block {
 public:
  bool full() const {
    return events_.size() + name_bytes_ >= kBlockBytes || count_ == kBlockEventsMax;
  }
  bool empty() const { return count_ == 0; }

  void add_raw(std::string_view text) {
    events_ += kRawLine;
    put_bytes(events_, text);
    ++count_;
  }

  void add(const EventBatch& batch, const EventBatch::Line& line) {
    const EventLine& event = line.event;
    const bool node = line.node != EventBatch::kNoName;
    const unsigned type = event.outcome ? static_cast<unsigned>(*event.outcome) + 1 : 0;
    events_ += static_cast<char>(type | static_cast<unsigned>(event.function) << 2 |
                                 static_cast<unsigned>(event.payload) << 5);
    events_ += static_cast<char>((event.swapped ? 1U : 0U) | (event.final ? 2U : 0U) |
                                 (event.local ? 4U : 0U) | (event.seen ? 8U : 0U) |
                                 (event.version != kNoVersion ? 16U : 0U) | (node ? 32U : 0U));
    put_number(events_, number_of(batch.sessions[line.session], sessions_, session_names_));
    put_number(events_, number_of(batch.keys[line.key], keys_, key_names_));
    if (node) put_number(events_, number_of(batch.nodes[line.node], nodes_, node_names_));
    put_signed(events_, static_cast<std::int64_t>(static_cast<std::uint64_t>(event.time) -
                                                  static_cast<std::uint64_t>(time_)));
    time_ = event.time;
    put_payload(batch, event);
    if (event.seen) put_signed(events_, event.seen_value);
    if (event.version != kNoVersion) put_signed(events_, event.version);
    ++count_;
  }

  std::string framed() const {
    std::string body;
    for (const auto* names : {&session_names_, &key_names_, &node_names_}) {
      put_number(body, names->size());
      for (const std::string& name : *names) put_bytes(body, name);
    }
    body += events_;
    std::string block;
    put_fixed(block, static_cast<std::uint32_t>(body.size()));
    put_fixed(block, count_);
    put_fixed(block, std::uint64_t{XXH3_64bits(body.data(), body.size())});
    put_fixed(block, std::uint64_t{XXH3_64bits(block.data(), block.size())});
    return block + body;
  }

 private:
  std::uint32_t number_of(std::string_view name, Names& names,
                          const std::vector<std::string>& known) {
    const std::size_t before = known.size();
    const std::uint32_t number = names.intern(name);
    if (known.size() > before) name_bytes_ += name.size();
    return number;
  }

  void put_payload(const EventBatch& batch, const EventLine& event) {
    using Payload = EventLine::Payload;
    if (event.payload == Payload::pair) put_signed(events_, event.expected);
    if (event.payload == Payload::integer || event.payload == Payload::pair)
      put_signed(events_, event.value);
    if (event.payload != Payload::list) return;
    put_number(events_, event.list_size);
    for (std::uint32_t i = 0; i < event.list_size; ++i)
      put_signed(events_, batch.elements[event.list_begin + i]);
  }

  std::string events_;
  std::size_t name_bytes_ = 0;
  std::uint32_t count_ = 0;
  Nanos time_ = 0;
  std::vector<std::string> session_names_, key_names_, node_names_;
  Names sessions_{session_names_}, keys_{key_names_}, nodes_{node_names_};
};

Json value_json(const EventBatch& batch, const EventLine& event) {
  using Payload = EventLine::Payload;
  if (event.payload == Payload::integer) return event.value;
  if (event.payload == Payload::pair) return Json::array({event.expected, event.value});
  Json list = Json::array();
  for (std::uint32_t i = 0; i < event.list_size; ++i)
    list.push_back(batch.elements[event.list_begin + i]);
  return event.payload == Payload::list ? list : Json();
}

std::string json_line(const EventBatch& batch, const EventBatch::Line& line, std::uint64_t index) {
  const EventLine& event = line.event;
  Json json{{"index", index},
            {"time", event.time},
            {"process", json_from_name(batch.sessions[line.session])},
            {"type", event.outcome ? name_of(*event.outcome) : "invoke"},
            {"f", name_of(event.function)},
            {"key", std::string(batch.keys[line.key])}};
  if (event.payload != EventLine::Payload::none) json["value"] = value_json(batch, event);
  if (line.node != EventBatch::kNoName) json["node"] = std::string(batch.nodes[line.node]);
  if (event.version != kNoVersion) json["ver"] = event.version;
  if (event.function == Function::cas && event.outcome) json["swapped"] = event.swapped;
  if (event.seen) json["seen"] = event.seen_value;
  if (event.final) json["final"] = true;
  if (event.local) json["local"] = true;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// A last line without its newline is a line if it can be read, and torn if not.
bool is_torn(const EventBatch::Line& line) {
  return !line.complete && !parse_json_line(line.text, "");
}

/// The first line of a history of ours.
std::optional<Error> check_header(const EventBatch::Line& line) {
  const Result<Json> header = line.plain ? Result<Json>(Json()) : parse_json_line(line.text, "1");
  const bool ours = header && header->is_object() &&
                    header->value("schema", Json()) == Json("consistory.history/1");
  if (ours) return std::nullopt;
  return usage_error(
      "expected a history of ours, which begins with "
      "{\"schema\":\"consistory.history/1\",…}");
}

/// Hands every line that is not torn to `take(batch, line)`, which says whether to go on.
template <class Take>
Result<Conversion> convert(EventBatches& events, const Take& take) {
  Conversion done;
  while (const EventBatch* batch = events.next()) {
    for (const EventBatch::Line& line : batch->lines) {
      if (!line.plain && line.text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      if (!line.plain && is_torn(line)) {
        done.notes.push_back("the last line is torn and was left out");
        continue;
      }
      if (done.events == 0) {
        if (auto error = check_header(line)) return *error;
      }
      if (!take(*batch, line)) return environment_error("cannot write the converted history");
      ++done.events;
    }
  }
  if (events.error()) return *events.error();
  for (std::string& note : events.notes()) done.notes.push_back(std::move(note));
  return done;
}

}  // namespace

Result<Conversion> write_binary(EventBatches& events, const ByteSink& sink) {
  auto block = std::make_unique<Block>();
  if (!sink(kBinaryMagic)) return environment_error("cannot write the converted history");
  Result<Conversion> done = convert(events, [&](const EventBatch& batch, const auto& line) {
    // The reason of a failure is not of the plain form, and worth keeping.
    const bool whole = line.plain && line.text.find("\"error\"") == std::string_view::npos;
    if (whole) block->add(batch, line);
    else block->add_raw(line.text);
    if (!block->full()) return true;
    const bool written = sink(block->framed());
    block = std::make_unique<Block>();
    return written;
  });
  if (done && !block->empty() && !sink(block->framed()))
    return environment_error("cannot write the converted history");
  return done;
}

Result<Conversion> write_json_lines(EventBatches& events, const ByteSink& sink) {
  std::uint64_t lines = 0;  // the header has no index
  return convert(events, [&](const EventBatch& batch, const auto& line) {
    const std::uint64_t index = lines++ - 1;
    if (line.plain && line.text.empty()) return sink(json_line(batch, line, index));
    return sink(std::string(line.text) + "\n");
  });
}

}  // namespace consistory
