#include "checkers/imports/transaction_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>

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

class PlumeReader {
 public:
  explicit PlumeReader(std::string source) : source_(std::move(source)) {}

  std::optional<Error> line(std::string_view text, std::uint32_t number) {
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    if (text.empty()) return std::nullopt;
    std::array<std::int64_t, 4> fields{};
    if (!parse(text, fields))
      return usage_error(fmt::format(
          "{}:{}: expected 'r(KEY,VALUE,SESSION,TRANSACTION)' or 'w(…)', numbers all, got '{}'",
          source_, number, escape_terminal(shorten(text, 40))));
    const auto [key, value, session, transaction] = fields;
    if (transaction < -1)
      return usage_error(fmt::format("{}:{}: a transaction below -1", source_, number));
    const bool aborted = transaction == -1;
    if (aborted && text.front() == 'r') return std::nullopt;
    const std::int64_t id = aborted ? -2 - static_cast<std::int64_t>(number) : transaction;
    const auto [place, fresh] = places_.try_emplace(id, transactions_.size());
    if (fresh) transactions_.push_back({session, aborted, {}});
    if (transactions_[place->second].session != session)
      return usage_error(fmt::format("{}:{}: transaction {} is of another session already", source_,
                                     number, transaction));
    transactions_[place->second].steps.push_back({key, text.front() == 'r', value});
    return std::nullopt;
  }

  Result<TransactionHistory> finish() {
    for (const Collected& transaction : transactions_) {
      builder_.begin(std::to_string(transaction.session),
                     transaction.aborted ? Outcome::fail : Outcome::ok, 0, kNever);
      for (const auto& [key, reads, value] : transaction.steps)
        builder_.add(builder_.key(std::to_string(key)), reads ? Access::read : Access::write,
                     value == 0 ? kNil : builder_.value(value));
    }
    return std::move(builder_).finish(source_);
  }

 private:
  struct CollectedStep {
    std::int64_t key = 0;
    bool reads = false;
    std::int64_t value = 0;
  };
  struct Collected {
    std::int64_t session = 0;
    bool aborted = false;
    std::vector<CollectedStep> steps;
  };

  static bool parse(std::string_view text, std::array<std::int64_t, 4>& fields) {
    if (!text.starts_with("r(") && !text.starts_with("w(")) return false;
    const char* at = text.data() + 2;
    const char* end = text.data() + text.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto [rest, failed] = std::from_chars(at, end, fields[i]);
      if (failed != std::errc() || rest == end || *rest != (i + 1 < fields.size() ? ',' : ')'))
        return false;
      at = rest + 1;
    }
    return at == end;
  }

  std::string source_;
  TransactionBuilder builder_;
  std::map<std::int64_t, std::size_t> places_;
  std::vector<Collected> transactions_;
};

/// Line by line, by a reader of either kind.
template <class LineReader>
Result<TransactionHistory> read_lines(std::string_view content, const std::string& source) {
  LineReader reader(source);
  for (std::uint32_t number = 1; !content.empty(); ++number) {
    const std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (std::optional<Error> error = reader.line(line, number)) return *error;
  }
  return reader.finish();
}

}  // namespace

Result<TransactionHistory> read_plume_text(std::string_view content, const std::string& source) {
  return read_lines<PlumeReader>(content, source);
}

Result<TransactionHistory> read_transaction_text(std::string_view content,
                                                 const std::string& source) {
  return read_lines<Reader>(content, source);
}

}  // namespace consistory
