#include "harness/stores/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <regex>

#include "base/suggest.h"
#include "harness/stores/installed.h"

namespace consistory {
namespace {

constexpr Nanos kPoll = 50 * kMillisecond;

Status check_value(const StoreSetting& setting, const std::string& value) {
  if (setting.kind == StoreSetting::Kind::number && !as_number(value))
    return usage_error(fmt::format("{} must be a whole number, not \"{}\"", setting.name, value));
  if (setting.values.empty()) return Done{};
  const bool several = setting.kind == StoreSetting::Kind::several;
  for (const std::string& word : several ? parts_of(value) : std::vector{value}) {
    if (std::find(setting.values.begin(), setting.values.end(), word) == setting.values.end())
      return usage_error(unknown_name(setting.name, word, setting.values));
  }
  return Done{};
}

}  // namespace

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    words.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return words;
}

Status check_settings(std::string_view store, const StoreSettings& given,
                      const std::vector<StoreSetting>& known) {
  std::vector<std::string> names;
  for (const StoreSetting& setting : known) names.push_back(setting.name);
  for (const auto& [name, value] : given) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      return usage_error(unknown_name(fmt::format("setting of store {}", store), name, names));
    const auto place = static_cast<std::size_t>(found - names.begin());
    if (Status fine = check_value(known[place], value); !fine) return fine;
  }
  return Done{};
}

std::string setting(const StoreSettings& given, std::string_view name, std::string fallback) {
  for (const auto& [known, value] : given) {
    if (known == name) fallback = value;
  }
  return fallback;
}

std::vector<std::string> words_of(const StoreSettings& settings) {
  std::vector<std::string> words;
  for (const auto& [name, value] : settings) {
    const bool flag = name == "unsafe-quorum";
    if (flag && value == "off") continue;
    words.push_back((name.size() == 1 ? "-" : "--") + name);
    if (!flag) words.push_back(value);
  }
  return words;
}

std::vector<std::string> words_in(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t begin = 0; (begin = text.find_first_not_of(' ', begin)) != std::string::npos;) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return all;
}

std::optional<int> as_number(const std::string& text) {
  int number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status await(std::string_view what, Nanos timeout, const std::function<bool()>& is_so) {
  const Nanos deadline = monotonic_now() + timeout;
  while (!is_so()) {
    if (monotonic_now() > deadline)
      return store_error(fmt::format("waited {} s for {}", timeout / kSecond, what));
    pause_for(kPoll);
  }
  return Done{};
}

std::string version_of(std::string_view program, const std::string& argument) {
  const std::string path = find_program(program);
  if (path.empty()) return "?";
  std::FILE* pipe = popen((path + " " + argument + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return "?";
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  while (std::fgetc(pipe) != EOF) {
  }
  pclose(pipe);
  std::smatch match;
  return std::regex_search(text, match, std::regex("[0-9]+(\\.[0-9]+)+")) ? match[0].str() : "?";
}

}  // namespace consistory
