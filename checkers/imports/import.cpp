#include "checkers/imports/import.h"

#include <algorithm>
#include <array>

#include "checkers/imports/jepsen_operations.h"
#include "checkers/imports/object_log.h"
#include "checkers/imports/transaction_text.h"

namespace consistory {
namespace {

constexpr std::array<std::pair<ImportFormat, std::string_view>, 6> kFormats = {{
    {ImportFormat::edn, "edn"},
    {ImportFormat::json, "json"},
    {ImportFormat::jepsen_log, "jepsen-log"},
    {ImportFormat::awdit, "awdit"},
    {ImportFormat::plume, "plume"},
    {ImportFormat::object_log, "object-log"},
}};

std::string_view without_blanks(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

bool is_transaction_line(std::string_view text) {
  return (text.starts_with("r ") || text.starts_with("w ")) &&
         text.substr(0, text.find('\n')).find_first_not_of("rw 0123456789\r") ==
             std::string_view::npos;
}

/// "# queue": one word, a kind of object.
bool names_an_object(std::string_view text) {
  if (!text.starts_with("# ")) return false;
  std::string_view word = text.substr(2, text.find('\n') - 2);
  while (word.ends_with('\r') || word.ends_with(' ')) word.remove_suffix(1);
  return word == "rmw" || object_kind_named(word).has_value();
}

}  // namespace

std::string_view name_of(ImportFormat format) {
  for (const auto& [known, name] : kFormats) {
    if (known == format) return name;
  }
  return {};
}

std::optional<ImportFormat> import_format_named(std::string_view name) {
  for (const auto& [format, known] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::vector<std::string> import_format_names() {
  std::vector<std::string> names;
  for (const auto& [format, name] : kFormats) names.emplace_back(name);
  return names;
}

std::optional<ImportFormat> foreign_format(std::string_view name, std::string_view beginning) {
  const std::string_view text = without_blanks(beginning);
  if (name.ends_with(".edn")) return ImportFormat::edn;
  if (names_an_object(text)) return ImportFormat::object_log;
  if (is_transaction_line(text)) return ImportFormat::awdit;
  if (text.starts_with("r(") || text.starts_with("w(")) return ImportFormat::plume;
  const std::string_view line = text.substr(0, text.find('\n'));
  if (line.find("jepsen") != std::string_view::npos && line.find(" - ") != std::string_view::npos)
    return ImportFormat::jepsen_log;
  if (text.starts_with("{:") || text.starts_with("[{:") || text.starts_with("({:") ||
      text.starts_with("#jepsen") || text.starts_with("[#jepsen"))
    return ImportFormat::edn;
  if (text.starts_with("[")) return ImportFormat::json;
  const bool event = text.starts_with("{") && line.find("\"schema\"") == std::string_view::npos &&
                     line.find("\"type\"") != std::string_view::npos;
  return event ? std::optional(ImportFormat::json) : std::nullopt;
}

Result<Imported> import_history(std::string_view content, const std::string& source,
                                const ImportOptions& options) {
  const std::optional<ImportFormat> format =
      options.format ? options.format : foreign_format(source, content.substr(0, 4096));
  if (!format)
    return usage_error(source + ": expected a history in a known format; --format names it");
  switch (*format) {
    case ImportFormat::edn:
      return from_jepsen(content, source, JepsenNotation::edn, options.keyed);
    case ImportFormat::json:
      return from_jepsen(content, source, JepsenNotation::json, options.keyed);
    case ImportFormat::jepsen_log:
      return from_jepsen(content, source, JepsenNotation::log, options.keyed);
    case ImportFormat::awdit:
    case ImportFormat::plume: {
      Result<TransactionHistory> transactions = format == ImportFormat::awdit
                                                    ? read_transaction_text(content, source)
                                                    : read_plume_text(content, source);
      if (!transactions) return transactions.error();
      return Imported(std::move(*transactions));
    }
    case ImportFormat::object_log:
      return read_object_log(content, source);
  }
  return usage_error(source + ": unknown format");
}

}  // namespace consistory
