#include "checkers/history/text.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "checkers/history/builder.h"

namespace consistory {
namespace {

std::optional<std::int64_t> as_integer(std::string_view word) {
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (status != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

Value as_value(const std::string& word) {
  if (word == "nil") return Value::nil();
  if (const auto number = as_integer(word)) return Value::of(*number);
  return Value::of(word);
}

/// Words of one statement; "[1 2]" and "[3,9]" stay whole.
std::vector<std::string> words_of(std::string_view statement) {
  std::vector<std::string> words;
  std::string word;
  bool bracketed = false;
  for (const char c : std::string(statement) + " ") {
    if (c == '[') bracketed = true;
    if (c == ']') bracketed = false;
    if ((c == ' ' || c == '\n' || c == '\t') && !bracketed) {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  return words;
}

class Statement {
 public:
  Statement(std::vector<std::string> words, std::int64_t number)
      : words_(std::move(words)), number_(number) {}

  Result<RawOperation> parse() {
    if (words_.size() < 3) return wrong("expected: SESSION FUNCTION KEY …");
    raw_.session = take();
    const auto function = function_named(words_[next_]);
    if (!function) return wrong(fmt::format("unknown function \"{}\"", words_[next_]));
    ++next_;
    raw_.function = *function;
    raw_.key = take();
    raw_.invoke = number_ * 10;
    raw_.complete = number_ * 10 + 9;
    raw_.line = static_cast<std::uint32_t>(number_ + 1);
    parse_arguments();
    while (next_ < words_.size()) {
      if (!parse_suffix(take()))
        return wrong(fmt::format("unknown word \"{}\"", words_[next_ - 1]));
    }
    raw_.invoke_ns = raw_.invoke * kMillisecond;
    raw_.complete_ns = raw_.complete == kNever ? -1 : raw_.complete * kMillisecond;
    return raw_;
  }

 private:
  Error wrong(const std::string& why) const {
    return usage_error(fmt::format("statement {}: {}", number_ + 1, why));
  }
  std::string take() { return next_ < words_.size() ? words_[next_++] : std::string("nil"); }

  void parse_arguments() {
    if (raw_.function == Function::read) {
      if (next_ >= words_.size() || words_[next_] != "->") return;
      ++next_;
      parse_read_value(take());
      return;
    }
    if (raw_.function == Function::remove) return;
    if (raw_.function == Function::cas) raw_.expected = as_value(take());
    raw_.value = as_value(take());
    const bool mismatch =
        next_ + 1 < words_.size() && words_[next_] == "->" && words_[next_ + 1] == "no";
    if (!mismatch) return;
    raw_.swapped = false;
    next_ += 2;
    const bool told =
        next_ < words_.size() && (words_[next_] == "nil" || as_integer(words_[next_]));
    if (told) raw_.seen = as_value(take());
  }

  void parse_read_value(const std::string& word) {
    if (word.front() != '[') {
      raw_.value = as_value(word);
      return;
    }
    raw_.elements.emplace();
    for (const std::string& element : words_of(word.substr(1, word.size() - 2))) {
      raw_.elements->push_back(as_value(element));
    }
  }

  bool parse_suffix(const std::string& word) {
    if (word.front() == '@') raw_.node = word.substr(1);
    else if (word == "?") raw_.outcome = Outcome::info, raw_.complete = kNever;
    else if (word == "!") raw_.outcome = Outcome::fail;
    else if (word == "final") raw_.final = true;
    else if (word == "local") raw_.local = true;
    else if (word.starts_with("ver=")) raw_.version = as_integer(word.substr(4));
    else if (word.front() == '[') return parse_interval(word);
    else return false;
    return true;
  }

  bool parse_interval(const std::string& word) {
    const std::size_t comma = word.find(',');
    if (comma == std::string::npos) return false;
    const auto from = as_integer(word.substr(1, comma - 1));
    const auto to = as_integer(word.substr(comma + 1, word.size() - comma - 2));
    if (!from || !to) return false;
    raw_.invoke = *from;
    if (raw_.outcome != Outcome::info) raw_.complete = *to;
    return true;
  }

  std::vector<std::string> words_;
  std::int64_t number_;
  std::size_t next_ = 0;
  RawOperation raw_;
};

}  // namespace

Result<History> parse_history_text(std::string_view text) {
  HistoryBuilder builder("statement");
  std::string normal(text);
  for (char& c : normal) {
    if (c == '\n') c = ';';
  }
  std::istringstream statements(normal);
  std::int64_t number = 0;
  for (std::string statement; std::getline(statements, statement, ';');) {
    std::vector<std::string> words = words_of(statement);
    if (words.empty()) continue;
    if (words.front() == "nodes") {
      builder.set_replicas({words.begin() + 1, words.end()});
    } else if (words.front() == "unsettled") {
      builder.set_settled(false);
    } else {
      Result<RawOperation> raw = Statement(std::move(words), number++).parse();
      if (!raw) return raw.error();
      builder.add(*raw);
    }
  }
  return std::move(builder).finish();
}

}  // namespace consistory
