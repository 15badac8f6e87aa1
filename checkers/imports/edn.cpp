#include "checkers/imports/edn.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/escape.h"

namespace consistory {
namespace {

constexpr std::array<bool, 256> word_ends() {
  std::array<bool, 256> ends{};
  for (const char c : std::string_view(" \t\r\n,;\"()[]{}"))
    ends[static_cast<unsigned char>(c)] = true;
  return ends;
}

bool ends_word(char c) {
  static constexpr std::array<bool, 256> kEnds = word_ends();
  return kEnds[static_cast<unsigned char>(c)];
}

void append_utf8(std::string& text, unsigned code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

}  // namespace

const Edn* Edn::find(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].is_word() && items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

Error EdnReader::error(std::string_view expected) const {
  const std::string came =
      at_end() ? "the end" : "'" + escape_terminal(std::string(content_.substr(at_, 12))) + "'";
  return usage_error(fmt::format("{}:{}:{}: EDN: expected {}, got {}", source_, line_,
                                 at_ - line_start_ + 1, expected, came));
}

/// False at the end. Commas are blanks; `;` starts a comment.
bool EdnReader::skip_blank() {
  for (; !at_end(); ++at_) {
    if (now() == ';') {
      at_ = std::min(content_.find('\n', at_), content_.size());
      if (at_end()) return false;
    }
    if (now() == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    } else if (now() != ' ' && now() != '\t' && now() != '\r' && now() != ',') {
      return true;
    }
  }
  return false;
}

Result<std::optional<Edn>> EdnReader::next() {
  bool more = skip_blank();
  if (!started_) {
    started_ = true;
    if (more && (now() == '[' || now() == '(')) {
      closing_ = now() == '[' ? ']' : ')';
      ++at_;
      more = skip_blank();
    }
  }
  if (!more) {
    if (closing_ != 0) return error(fmt::format("'{}' at the end of the history", closing_));
    return std::optional<Edn>();
  }
  if (closing_ != 0 && now() == closing_) {
    ++at_;
    closing_ = 0;
    if (skip_blank()) return error("nothing after the history");
    return std::optional<Edn>();
  }
  Edn found;
  if (!form(found, 0)) return error_;
  return std::optional<Edn>(std::move(found));
}

bool EdnReader::refuse(std::string_view expected) {
  error_ = error(expected);
  return false;
}

bool EdnReader::form(Edn& edn, int depth) {
  if (!skip_blank()) return refuse("a form");
  if (depth > kDepthMax) return refuse("at most 64 levels");
  edn.line = line_;
  switch (now()) {
    case '[':
      return sequence(edn, ']', depth, Edn::Kind::sequence);
    case '(':
      return sequence(edn, ')', depth, Edn::Kind::sequence);
    case '{':
      return sequence(edn, '}', depth, Edn::Kind::map);
    case '"':
      return text(edn);
    case '#':
      return hashed(edn, depth);
    case ']':
    case ')':
    case '}':
      return refuse("a form");
    default:
      atom(edn);
      return true;
  }
}

/// True past the end of a sequence of integers; false where it stood, if it holds anything else.
bool EdnReader::packed(Edn& edn, char closing) {
  const char* at = content_.data() + at_;
  const char* const end = content_.data() + content_.size();
  while (at < end && *at != closing) {
    std::int64_t number = 0;
    const auto [rest, failed] = std::from_chars(at, end, number);
    const bool ended = failed == std::errc() && rest < end && (*rest == ' ' || *rest == closing);
    if (!ended) break;
    edn.numbers.push_back(number);
    for (at = rest; at < end && *at == ' ';) ++at;
  }
  const bool whole = at < end && *at == closing;
  if (whole) at_ = static_cast<std::size_t>(at - content_.data()) + 1;
  else edn.numbers.clear();
  return whole;
}

bool EdnReader::sequence(Edn& edn, char closing, int depth, Edn::Kind kind) {
  ++at_;
  edn.kind = kind;
  const bool may_pack = nesting_ >= packed_from_ && kind == Edn::Kind::sequence;
  if (may_pack && packed(edn, closing)) return true;
  ++nesting_;
  while (true) {
    if (!skip_blank()) return refuse(fmt::format("'{}'", closing));
    if (now() == closing) break;
    if (content_.substr(at_, 2) == "#_") {
      at_ += 2;
      Edn dropped;
      if (!form(dropped, depth + 1)) return false;
      continue;
    }
    if (!form(edn.items.emplace_back(), depth + 1)) return false;
  }
  if (kind == Edn::Kind::map && edn.items.size() % 2 != 0)
    return refuse("a value for the last key");
  ++at_;
  --nesting_;
  return true;
}

bool EdnReader::text(Edn& edn) {
  edn.kind = Edn::Kind::text;
  for (++at_; !at_end() && now() != '"'; ++at_) {
    if (now() == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    if (now() != '\\') {
      edn.text += now();
      continue;
    }
    if (++at_; at_end()) break;
    if (now() != 'u') {
      edn.text += unescaped(now());
      continue;
    }
    unsigned code = 0;
    const std::string_view digits = content_.substr(at_ + 1, 4);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (failed != std::errc() || end != digits.data() + 4) return refuse("four hexadecimal digits");
    append_utf8(edn.text, code);
    at_ += 4;
  }
  if (at_end()) return refuse("'\"' at the end of a string");
  ++at_;
  return true;
}

/// A set; or a tagged or record literal, of which the tag is dropped; or a dropped form before one.
bool EdnReader::hashed(Edn& edn, int depth) {
  ++at_;
  if (!at_end() && now() == '{') return sequence(edn, '}', depth + 1, Edn::Kind::sequence);
  if (!at_end() && now() == '_') {
    ++at_;
    Edn dropped;
    return form(dropped, depth + 1) && form(edn, depth + 1);
  }
  if (word().empty()) return refuse("a tag");
  return form(edn, depth + 1);
}

std::string_view EdnReader::word() {
  const std::size_t start = at_;
  while (!at_end() && !ends_word(now())) ++at_;
  return content_.substr(start, at_ - start);
}

void EdnReader::atom(Edn& edn) {
  const bool character = now() == '\\';
  if (character) ++at_;
  std::string_view all = word();
  if (character && all.empty() && !at_end()) all = content_.substr(at_++, 1);
  if (character) {
    edn.kind = Edn::Kind::text;
    edn.text = all;
  } else if (all == "nil") {
    edn.kind = Edn::Kind::nil;
  } else if (all == "true" || all == "false") {
    edn.kind = Edn::Kind::boolean;
    edn.text = all;
    edn.integer = all == "true" ? 1 : 0;
  } else if (all.starts_with(':')) {
    edn.kind = Edn::Kind::keyword;
    edn.text = all.substr(1);
  } else {
    if (all.size() > 1 && (all.back() == 'N' || all.back() == 'M')) all.remove_suffix(1);
    if (all.size() > 1 && all.front() == '+') all.remove_prefix(1);
    const auto [end, failed] = std::from_chars(all.data(), all.data() + all.size(), edn.integer);
    const bool digit = all.front() == '-' ? all.size() > 1 : true;
    if (failed == std::errc() && end == all.data() + all.size()) edn.kind = Edn::Kind::integer;
    else if (digit && all.find_first_of("0123456789") <= 1) edn.kind = Edn::Kind::real;
    else edn.kind = Edn::Kind::symbol;
    if (edn.kind != Edn::Kind::integer) edn.text = all;
  }
}

}  // namespace consistory
