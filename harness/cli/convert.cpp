// consistory convert: a recorded history in another form.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/escape.h"
#include "checkers/exports/export.h"
#include "checkers/history/binary_writer.h"
#include "checkers/history/recording.h"
#include "checkers/imports/import.h"
#include "harness/cli/command.h"

namespace consistory {
namespace {

struct Options {
  std::string from, into, to, key, format;
  bool keyed = false;
};

constexpr std::string_view kLines = "consistory";
constexpr std::string_view kBinary = "binary";

/// A regular file is written beside and renamed, so that what was there before is whole or
/// replaced; a device or a pipe is written as it is, and a link leads to what it names.
class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {}
  ~Output() {
    if (file_ == nullptr || file_ == stdout) return;
    std::fclose(file_);
    if (!beside_.empty()) std::remove(beside_.c_str());
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Status open() {
    if (path_ == "-") {
      file_ = stdout;
      return Done{};
    }
    std::error_code ignored;
    const bool exists = std::filesystem::exists(path_, ignored);
    if (exists) path_ = std::filesystem::canonical(path_, ignored).string();
    const bool special = exists && !std::filesystem::is_regular_file(path_, ignored);
    if (!special) beside_ = path_ + ".part";
    file_ = std::fopen((special ? path_ : beside_).c_str(), "wbe");
    return file_ != nullptr ? Status(Done{}) : failed("create");
  }

  bool write(std::string_view bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size();
  }

  Status finish() {
    if (std::fflush(file_) != 0) return failed("write");
    if (file_ == stdout) return Done{};
    std::FILE* file = std::exchange(file_, nullptr);
    if (std::fclose(file) != 0) return failed("write");
    if (beside_.empty()) return Done{};
    return std::rename(beside_.c_str(), path_.c_str()) == 0 ? Status(Done{}) : failed("write");
  }

 private:
  Status failed(const char* what) const {
    return environment_error(fmt::format("cannot {} {}: {}", what, path_, std::strerror(errno)));
  }

  std::string path_;
  std::string beside_;  ///< empty: the target itself is written
  std::FILE* file_ = nullptr;
};

std::string shown_name(const Options& options) {
  return options.from == "-" ? "standard input" : options.from;
}

/// Between the two forms of our own, event by event.
int transcode(const Options& options) {
  Result<std::unique_ptr<ByteSource>> source = open_input(options.from);
  if (!source) return fail(source.error());
  const std::unique_ptr<EventBatches> events = open_events(**source, shown_name(options));
  Output output(options.into);
  if (Status opened = output.open(); !opened) return fail(opened.error());
  const ByteSink sink = [&](std::string_view bytes) { return output.write(bytes); };
  const Result<Conversion> done =
      options.to == kBinary ? write_binary(*events, sink) : write_json_lines(*events, sink);
  if (!done) return fail(done.error());
  if (Status finished = output.finish(); !finished) return fail(finished.error());
  for (const std::string& note : done->notes)
    std::fprintf(stderr, "note: %s\n", escape_terminal(note).c_str());
  std::fprintf(stderr, "%s\n", fmt::format("{} events", done->events).c_str());
  return 0;
}

/// The operations of a history in any format that has operations.
Result<History> read_any(const Options& options) {
  const std::string name = shown_name(options);
  const bool ours = options.format.empty() || options.format == kLines;
  if (ours) {
    Result<Recording> recording = read_recording(options.from, name);
    if (!recording) return recording.error();
    return std::move(recording->history);
  }
  const Result<std::string> content = read_input(options.from);
  if (!content) return content.error();
  Result<Imported> imported =
      import_history(*content, name, {import_format_named(options.format), options.keyed});
  if (!imported) return imported.error();
  if (auto* history = std::get_if<History>(&*imported)) return std::move(*history);
  return usage_error(name + ": only histories of registers and lists can be converted");
}

int write_for_others(const Options& options) {
  const Result<History> history = read_any(options);
  if (!history) return fail(history.error());
  ExportOptions how;
  how.format = *export_format_named(options.to);
  if (!options.key.empty()) how.key = options.key;
  const Result<std::string> text = export_history(*history, how);
  if (!text) return fail(usage_error(shown_name(options) + ": " + text.error().message));
  Output output(options.into);
  if (Status opened = output.open(); !opened) return fail(opened.error());
  if (!output.write(*text))
    return fail(environment_error(fmt::format("cannot write {}", options.into)));
  const Status finished = output.finish();
  return finished ? 0 : fail(finished.error());
}

int act(const Options& options) {
  const bool own_form = options.to == kBinary || options.to == kLines;
  if (!own_form) return write_for_others(options);
  if (!options.key.empty() || (!options.format.empty() && options.format != kLines))
    return fail(usage_error(fmt::format(
        "--to {} takes histories of ours, whole: no --key, no --format of other projects",
        options.to)));
  return transcode(options);
}

std::vector<std::string> target_names() {
  std::vector<std::string> names = {std::string(kBinary), std::string(kLines)};
  for (const std::string& name : export_format_names()) names.push_back(name);
  return names;
}

std::vector<std::string> source_names() {
  std::vector<std::string> names = import_format_names();
  names.emplace_back(kLines);
  return names;
}

}  // namespace

std::function<int()> define_convert(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("from", options->from, "The history; - for standard input")->required();
  app.add_option("into", options->into, "The file to write; - for standard output")->required();
  app.add_option("--to", options->to,
                 "binary or consistory (history.jsonl); edn (Jepsen, Knossos, Elle), jepsen-log "
                 "(Porcupine), plume (AWDIT, Plume, PolySI)")
      ->required()
      ->transform(CLI::IsMember(target_names()));
  app.add_option("--key", options->key, "Only this key; then edn has no [key value] tuples");
  app.add_option("--format", options->format, "The history's format, if it is not of ours")
      ->transform(CLI::IsMember(source_names()));
  app.add_flag("--keyed", options->keyed, "Jepsen: every value is a tuple [key value]");
  return [options] { return act(*options); };
}

}  // namespace consistory
