#include "checkers/imports/object_log.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/escape.h"
#include "checkers/history/builder.h"

namespace consistory {
namespace {

struct Line {
  std::uint32_t number = 0;
  std::vector<std::string> words;
};

std::vector<Line> lines_of(std::string_view content) {
  std::vector<Line> lines;
  for (std::uint32_t number = 1; !content.empty(); ++number) {
    std::string_view rest = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), rest.size() + 1));
    Line line{number, {}};
    while (true) {
      const std::size_t start = rest.find_first_not_of(" \t\r");
      if (start == std::string_view::npos) break;
      rest.remove_prefix(start);
      const std::string_view word = rest.substr(0, rest.find_first_of(" \t\r"));
      line.words.emplace_back(word);
      rest.remove_prefix(word.size());
    }
    if (!line.words.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

bool is_number(const std::string& word, std::int64_t& number) {
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
  return failed == std::errc() && end == word.data() + word.size();
}

/// A line of either notation.
struct Entry {
  std::string session;
  std::string method;  ///< in lower case
  std::vector<std::string> values;
  std::int64_t start = 0, end = 0;
};

std::optional<Entry> entry_of(const Line& line) {
  Entry entry;
  std::int64_t session = 0;
  const std::vector<std::string>& words = line.words;
  if (words.size() >= 4 && is_number(words[0], session)) {
    entry.session = words[0];
    entry.method = words[3];
    entry.values.assign(words.begin() + 4, words.end());
    if (!is_number(words[1], entry.start) || !is_number(words[2], entry.end)) return std::nullopt;
  } else if (words.size() == 4) {
    entry.session = std::to_string(line.number);
    entry.method = words[0];
    entry.values = {words[1]};
    if (!is_number(words[2], entry.start) || !is_number(words[3], entry.end)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  for (char& c : entry.method) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  constexpr std::int64_t kStampMax = std::int64_t{1} << 60;
  if (entry.start < -kStampMax || entry.end > kStampMax || entry.start > entry.end)
    return std::nullopt;
  // In these logs a call that ends when another starts comes before it.
  entry.start = 2 * entry.start + 1;
  entry.end = 2 * entry.end;
  const bool fits = entry.start < entry.end && !entry.values.empty() && entry.values.size() <= 2;
  return fits ? std::optional(entry) : std::nullopt;
}

std::optional<Method> method_named(ObjectKind kind, const std::string& name) {
  static const std::map<std::string, Method> kAll = {
      {"enq", Method::insert},    {"deq", Method::take},      {"push", Method::insert},
      {"pop", Method::take},      {"poll", Method::take},     {"peek", Method::peek},
      {"insert", Method::insert}, {"remove", Method::remove}, {"contains", Method::contains},
      {"incr", Method::release},  {"decr", Method::acquire}};
  const auto found = kAll.find(name);
  if (found == kAll.end()) return std::nullopt;
  const bool counts = found->second == Method::release || found->second == Method::acquire;
  return counts == (kind == ObjectKind::semaphore) ? std::optional(found->second) : std::nullopt;
}

Result<ObjectCall> call_of(ObjectKind kind, const Entry& entry, const std::string& place) {
  const std::optional<Method> method = method_named(kind, entry.method);
  if (!method)
    return usage_error(fmt::format("{}: a {} has no method '{}'", place, name_of(kind),
                                   escape_terminal(shorten(entry.method, 40))));
  ObjectCall call;
  call.method = *method;
  call.session = entry.session;
  call.invoke = entry.start;
  call.complete = entry.end;
  call.nothing = (*method == Method::take || *method == Method::peek) && entry.values[0] == "-1";
  if (kind == ObjectKind::semaphore) call.answer = entry.values[0] == "1";
  else call.argument = entry.values[0];
  if (entry.values.size() == 2) call.answer = entry.values[1] == "1";
  return call;
}

/// old -> new: a cas that succeeded. The integer starts at 0.
Result<Imported> registers(const std::vector<Line>& lines, const std::string& source) {
  HistoryBuilder builder(source);
  RawOperation start;
  start.session = "start";
  start.key = "integer";
  start.function = Function::write;
  start.value = Value::of(0);
  start.invoke = -4;
  start.complete = -3;
  builder.add(start);
  for (const Line& line : lines) {
    const std::optional<Entry> entry = entry_of(line);
    std::int64_t before = 0;
    std::int64_t after = 0;
    const bool fits = entry && entry->values.size() == 2 && entry->start >= 0 &&
                      is_number(entry->values[0], before) && is_number(entry->values[1], after);
    if (!fits)
      return usage_error(fmt::format("{}:{}: expected SESSION START END READ_MODIFY_WRITE OLD NEW",
                                     source, line.number));
    RawOperation raw;
    raw.session = entry->session;
    raw.key = "integer";
    raw.function = Function::cas;
    raw.expected = Value::of(before);
    raw.value = Value::of(after);
    raw.invoke = entry->start;
    raw.complete = entry->end;
    raw.line = line.number;
    builder.add(raw);
  }
  Result<History> history = std::move(builder).finish();
  if (!history) return history.error();
  return Imported(std::move(*history));
}

}  // namespace

Result<Imported> read_object_log(std::string_view content, const std::string& source) {
  std::vector<Line> lines = lines_of(content);
  const bool headed = !lines.empty() && lines[0].words.size() == 2 && lines[0].words[0] == "#";
  const std::string kind_name = headed ? lines[0].words[1] : "";
  const std::optional<ObjectKind> kind = object_kind_named(kind_name);
  if (!kind && kind_name != "rmw")
    return usage_error(source + ":1: expected '# ' and a kind of object, such as # queue");
  lines.erase(lines.begin());
  if (!kind) return registers(lines, source);
  ObjectHistory history;
  history.kind = *kind;
  for (const Line& line : lines) {
    const std::string place = fmt::format("{}:{}", source, line.number);
    const std::optional<Entry> entry = entry_of(line);
    if (!entry)
      return usage_error(
          place +
          ": expected METHOD VALUE START END or SESSION START END METHOD VALUE, with the "
          "end after the start");
    Result<ObjectCall> call = call_of(*kind, *entry, place);
    if (!call) return call.error();
    history.calls.push_back(std::move(*call));
  }
  return Imported(std::move(history));
}

}  // namespace consistory
