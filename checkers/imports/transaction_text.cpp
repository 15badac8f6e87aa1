#include "checkers/imports/transaction_text.h"

#include <fmt/format.h>

#include <charconv>

#include "base/escape.h"

namespace consistory {
namespace {

class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}

  std::optional<Error> line(std::string_view text, std::uint32_t number) {
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    if (text.empty() || text.front() == '#') return std::nullopt;
    if (text.starts_with("-----")) {
      open_ = false;
      return std::nullopt;
    }
    if (text.starts_with("=====")) {
      open_ = false;
      ++session_;
      return std::nullopt;
    }
    return step(text, number);
  }

  Result<TransactionHistory> finish() { return std::move(builder_).finish(source_); }

 private:
  std::optional<Error> step(std::string_view text, std::uint32_t number) {
    const char kind = text.front();
    const std::size_t key_at = text.find_first_not_of(' ', 1);
    const std::size_t key_end =
        std::min(text.find(' ', std::min(key_at, text.size())), text.size());
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const bool fits = (kind == 'r' || kind == 'w') && key_at > 1 && key_end < text.size();
    const auto [rest, failed] =
        fits ? std::from_chars(text.data() + key_end + 1, end, value)
             : std::from_chars_result{text.data(), std::errc::invalid_argument};
    if (failed != std::errc() || rest != end)
      return usage_error(
          fmt::format("{}:{}: expected 'r KEY VALUE', 'w KEY VALUE', '-----' or '=====', got '{}'",
                      source_, number, escape_terminal(shorten(text, 40))));
    if (!open_) {
      builder_.begin(std::to_string(session_), Outcome::ok, 0, kNever);
      open_ = true;
    }
    builder_.add(builder_.key(text.substr(key_at, key_end - key_at)),
                 kind == 'r' ? Access::read : Access::write, builder_.value(value));
    return std::nullopt;
  }

  std::string source_;
  TransactionBuilder builder_;
  std::size_t session_ = 0;
  bool open_ = false;
};

}  // namespace

Result<TransactionHistory> read_transaction_text(std::string_view content,
                                                 const std::string& source) {
  Reader reader(source);
  for (std::uint32_t number = 1; !content.empty(); ++number) {
    const std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (std::optional<Error> error = reader.line(line, number)) return *error;
  }
  return reader.finish();
}

}  // namespace consistory
