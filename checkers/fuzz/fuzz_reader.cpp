// One fuzz target for each reader of untrusted text, for libFuzzer: whatever comes, the answer is a
// history or an error, and what was read can be judged. scripts/fuzz builds and runs them all.
//
// Which reader is decided when this file is compiled: CONSISTORY_FUZZED names a function below.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "checkers/history/binary_events.h"
#include "checkers/history/litmus.h"
#include "checkers/history/recording.h"
#include "checkers/history/text.h"
#include "checkers/imports/import.h"
#include "checkers/judge.h"
#include "checkers/transactions/levels.h"

namespace consistory {
namespace {

constexpr std::uint64_t kSteps = 5'000;
constexpr std::size_t kJudgedMax = 40;

void judge_quickly(const History& history) {
  if (history.size() > kJudgedMax) return;
  JudgeOptions options;
  options.steps = kSteps;
  options.witnesses = history.size() <= 12;
  static_cast<void>(judge(history, options));
}

void judge_imported(const Imported& imported) {
  if (const auto* history = std::get_if<History>(&imported)) judge_quickly(*history);
  if (const auto* objects = std::get_if<ObjectHistory>(&imported)) {
    if (objects->calls.size() <= kJudgedMax) static_cast<void>(judge_objects(*objects, kSteps));
  }
  if (const auto* transactions = std::get_if<TransactionHistory>(&imported)) {
    TransactionOptions options;
    options.steps = kSteps;
    if (transactions->transactions.size() <= kJudgedMax)
      static_cast<void>(judge_transactions(*transactions, options));
  }
}

void import_as(ImportFormat format, std::string_view text) {
  for (const bool keyed : {false, true}) {
    const Result<Imported> imported = import_history(text, "fuzzed", {format, keyed});
    if (imported) judge_imported(*imported);
  }
}

[[maybe_unused]] void edn(std::string_view text) { import_as(ImportFormat::edn, text); }
[[maybe_unused]] void json(std::string_view text) { import_as(ImportFormat::json, text); }
[[maybe_unused]] void jepsen_log(std::string_view text) {
  import_as(ImportFormat::jepsen_log, text);
}
[[maybe_unused]] void awdit(std::string_view text) { import_as(ImportFormat::awdit, text); }
[[maybe_unused]] void plume(std::string_view text) { import_as(ImportFormat::plume, text); }
[[maybe_unused]] void object_log(std::string_view text) {
  import_as(ImportFormat::object_log, text);
}

[[maybe_unused]] void recording(std::string_view text) {
  const Result<Recording> recording = parse_recording(text, "fuzzed");
  if (recording) judge_quickly(recording->history);
}

/// Behind a checksum that fits, or nothing but the frame would ever be looked at.
[[maybe_unused]] void binary(std::string_view body) {
  if (body.empty()) return;
  const auto size = static_cast<std::uint32_t>(body.size() - 1);
  const auto events = static_cast<std::uint32_t>(static_cast<unsigned char>(body.front()));
  body.remove_prefix(1);
  const std::uint64_t checksum = XXH3_64bits(body.data(), body.size());
  std::string file(kBinaryMagic);
  file.append(reinterpret_cast<const char*>(&size), 4);
  file.append(reinterpret_cast<const char*>(&events), 4);
  file.append(reinterpret_cast<const char*>(&checksum), 8);
  const std::uint64_t of_frame = XXH3_64bits(file.data() + kBinaryMagic.size(), 16);
  file.append(reinterpret_cast<const char*>(&of_frame), 8);
  recording(file.append(body));
}

[[maybe_unused]] void litmus(std::string_view text) {
  const Result<LitmusCase> litmus = parse_litmus_line(text, "fuzzed:1");
  if (litmus) judge_quickly(litmus->history);
}

[[maybe_unused]] void test_language(std::string_view text) {
  const Result<History> history = parse_history_text(text);
  if (history) judge_quickly(*history);
}

}  // namespace
}  // namespace consistory

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  consistory::CONSISTORY_FUZZED(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
