// consistory report: judges a stored run again and writes its report anew.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

#include "base/escape.h"
#include "checkers/history/input.h"
#include "harness/cli/command.h"
#include "harness/run/overall.h"
#include "harness/run/runner.h"
#include "results/json_files.h"
#include "results/report.h"
#include "results/run_directory.h"

namespace consistory {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json, const char* name) {
  return json.value(name, Json()).is_string() ? json[name].get<std::string>() : std::string();
}

std::vector<std::string> texts_of(const Json& json, const char* name) {
  std::vector<std::string> texts;
  for (const Json& item : json.value(name, Json::array())) {
    if (item.is_string()) texts.push_back(item);
  }
  return texts;
}

Result<Json> read_json(const std::string& path) {
  Result<std::string> content = read_input(path);
  if (!content) return content.error();
  Json json = Json::parse(*content, nullptr, false);
  if (!json.is_object())
    return usage_error(fmt::format("{} is not a JSON object; is this a run's directory?", path));
  return json;
}

/// Names that this version knows as models.
std::vector<std::string> models_of(const Json& json, const char* name) {
  std::vector<std::string> models;
  for (const std::string& text : texts_of(json, name)) {
    if (find_model(text)) models.push_back(text);
  }
  return models;
}

Result<RunRecord> load_run(const std::string& directory) {
  Result<Json> run = read_json(directory + "/run.json");
  if (!run) return run.error();
  const std::string history = directory + "/history.jsonl";
  Result<Recording> recording = read_recording(history, history);
  if (!recording) return recording.error();
  RunRecord record;
  record.id = text_of(*run, "id");
  record.status = text_of(*run, "status");
  if (record.status == "running") record.status = "incomplete";
  record.failure = text_of(*run, "failure");
  record.store = text_of(*run, "store");
  record.arguments = text_of(*run, "arguments");
  record.command = text_of(*run, "rerun");
  record.seed =
      run->value("seed", Json()).is_number_unsigned() ? (*run)["seed"].get<std::uint64_t>() : 0;
  record.left_out = texts_of(*run, "workloads_left_out");
  record.promised = models_of(*run, "promised");
  record.required_by_user = models_of(*run, "required_by_user");
  record.expected_violations = models_of(*run, "expected_violations");
  record.models_judged = models_of(*run, "models_judged");
  if (record.models_judged.empty()) record.models_judged = model_names();
  if (run->value("check_steps", Json()).is_number_unsigned()) {
    record.check_steps = (*run)["check_steps"].get<std::uint64_t>();
  }
  record.recording = std::move(*recording);
  record.checked = true;
  return record;
}

int act(const std::vector<std::string>& directories) {
  int code = 0;
  for (const std::string& directory : directories) {
    Result<RunRecord> record = load_run(directory);
    if (!record) return fail(record.error());
    examine(*record);
    const std::string path = directory + "/report.html";
    if (Status written = write_file(path, report_html(*record)); !written)
      return fail(written.error());
    if (Status written = write_file(directory + "/verdict.json", verdict_json(*record)); !written) {
      return fail(written.error());
    }
    std::printf("%s: %s\n%s\n", std::string(name_of(record->overall.word)).c_str(),
                escape_terminal(record->overall.sentence).c_str(), path.c_str());
    code = worse_exit_code(code, record->overall.exit_code);
  }
  return code;
}

}  // namespace

std::function<int()> define_report(CLI::App& app) {
  const auto directories = std::make_shared<std::vector<std::string>>();
  app.add_option("runs", *directories, "Directories of runs")->required();
  return [directories] { return act(*directories); };
}

}  // namespace consistory
