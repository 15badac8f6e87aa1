// consistory check: judges histories that were recorded before.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/duration.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/suggest.h"
#include "checkers/history/input.h"
#include "checkers/history/litmus.h"
#include "harness/cli/check_imported.h"
#include "harness/cli/command.h"
#include "harness/run/overall.h"
#include "harness/run/runner.h"
#include "results/json_files.h"
#include "results/report.h"
#include "results/run_directory.h"
#include "results/terminal.h"

namespace consistory {
namespace {

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> models, require, expect_violation;
  std::uint64_t steps = kDefaultCheckSteps;
  std::string timeout, memory;
  Nanos timeout_ns = 0;
  std::string report;
  bool batch = false;
  bool json = false;
  std::string format;
  bool keyed = false;
};

Result<std::vector<const Model*>> find_models(const std::vector<std::string>& names) {
  std::vector<const Model*> models;
  for (const std::string& name : names) {
    const Result<const Model*> model = find_model(name);
    if (!model) return model.error();
    models.push_back(*model);
  }
  return models;
}

std::vector<std::string> names_of(const std::vector<const Model*>& models) {
  std::vector<std::string> names;
  for (const Model* model : models) names.emplace_back(model->name);
  return names;
}

struct Question {
  std::vector<const Model*> models, require, expect;
};

Result<Question> question_of(const Options& options) {
  Result<std::vector<const Model*>> models = find_models(options.models);
  if (!models) return models.error();
  Result<std::vector<const Model*>> require = find_models(options.require);
  if (!require) return require.error();
  Result<std::vector<const Model*>> expect = find_models(options.expect_violation);
  if (!expect) return expect.error();
  return Question{*models, *require, *expect};
}

/// All models, or those asked for and those required.
std::vector<const Model*> models_to_judge(const Question& question) {
  std::vector<const Model*> models = question.models;
  if (models.empty()) {
    for (const Model& model : all_models()) models.push_back(&model);
  }
  for (const auto* more : {&question.require, &question.expect}) {
    for (const Model* model : *more) {
      if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
    }
  }
  return models;
}

/// What must hold: --require, else -m, else what the history's header promised, else every model.
std::vector<std::string> promised_by(const Question& question, const Recording& recording) {
  if (!question.require.empty()) return names_of(question.require);
  if (!question.models.empty()) return names_of(question.models);
  std::vector<std::string> promised;
  for (const std::string& name : recording.promised) {
    if (find_model(name)) promised.push_back(name);
  }
  return promised;
}

RunRecord judge_recording(Recording recording, const std::string& path, const Question& question,
                          const Options& options) {
  RunRecord record;
  record.id = path;
  record.status = "checked";
  record.store = recording.store.empty() ? "recorded history " + path : recording.store;
  record.promised = promised_by(question, recording);
  record.promised_by_default = record.promised.empty();
  if (record.promised_by_default) record.promised = model_names();
  record.expected_violations = names_of(question.expect);
  record.recording = std::move(recording);
  record.checked = true;
  record.required_by_user = names_of(question.require);
  record.models_judged = names_of(models_to_judge(question));
  for (const std::string& name : record.promised) {
    auto& models = record.models_judged;
    if (std::find(models.begin(), models.end(), name) == models.end()) models.push_back(name);
  }
  record.check_steps = options.steps;
  record.check_timeout = options.timeout_ns;
  examine(record);
  return record;
}

int check_recording(Result<Recording> recording, const std::string& path, const Options& options) {
  if (!recording) return fail(recording.error());
  const Result<Question> question = question_of(options);
  if (!question) return fail(question.error());
  const RunRecord record = judge_recording(std::move(*recording), path, *question, options);
  if (!options.report.empty()) {
    if (Status written = write_file(options.report, report_html(record)); !written)
      return fail(written.error());
  }
  const std::string text = options.json
                               ? verdict_json(record)
                               : terminal_text(record, options.report, {stdout_takes_colour()});
  std::fputs(text.c_str(), stdout);
  return record.overall.exit_code;
}

/// What was imported decides what it is judged by.
int check_foreign(const std::string& path, const CheckImported& how, const Options& options) {
  const Result<std::string> content = read_input(path);
  if (!content) return fail(content.error());
  const std::string name = path == "-" ? "standard input" : path;
  Result<Imported> imported = import_history(*content, name, {how.format, how.keyed});
  if (!imported) return fail(imported.error());
  if (auto* history = std::get_if<History>(&*imported)) {
    Recording recording;
    recording.history = std::move(*history);
    return check_recording(std::move(recording), path, options);
  }
  if (!options.expect_violation.empty())
    return fail(usage_error(name +
                            ": --expect-violation is for histories of registers and lists; this "
                            "one holds something else"));
  if (const auto* transactions = std::get_if<TransactionHistory>(&*imported))
    return check_imported(path, *transactions, how);
  return check_imported(path, std::get<ObjectHistory>(*imported), how);
}

int check_file(const std::string& path, const Options& options) {
  CheckImported how;
  how.models = options.models;
  how.models.insert(how.models.end(), options.require.begin(), options.require.end());
  how.format = import_format_named(options.format);
  how.keyed = options.keyed;
  how.json = options.json;
  how.report = options.report;
  how.steps = options.steps;
  how.timeout_ns = options.timeout_ns;
  if (options.format != "consistory") {
    const Result<std::optional<ImportFormat>> format = format_of(path, how);
    if (!format) return fail(format.error());
    how.format = *format;
  }
  if (how.format) return check_foreign(path, how, options);
  return check_recording(read_recording(path, path == "-" ? "standard input" : path), path,
                         options);
}

std::string batch_text(const std::string& id, const Judgement& judgement) {
  std::string text = shorten(escape_terminal(id), 60) + ":";
  for (const JudgedModel& judged : judgement.models) {
    if (judged.verdict.verdict == Verdict::holds) continue;
    text += fmt::format(" {} {}", judged.model->name, name_of(judged.verdict.verdict));
  }
  return text + "\n";
}

/// 1 if a model that had to hold is violated, 2 if one stayed open, else 0.
int batch_exit_code(const Judgement& judgement, const Question& question) {
  int code = 0;
  for (const JudgedModel& judged : judgement.models) {
    const auto& require = question.require;
    const bool counts =
        require.empty() || std::find(require.begin(), require.end(), judged.model) != require.end();
    if (!counts) continue;
    if (judged.verdict.verdict == Verdict::violated) code = worse_exit_code(code, 1);
    if (judged.verdict.verdict == Verdict::inconclusive) code = worse_exit_code(code, 2);
  }
  return code;
}

int check_batch(const std::string& path, const Options& options) {
  const Result<Question> asked = question_of(options);
  if (!asked) return fail(asked.error());
  const Question& question = *asked;
  const Result<std::string> content = read_input(path);
  if (!content) return fail(content.error());
  std::string_view rest = *content;
  int code = 0;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto litmus = parse_litmus_line(line, fmt::format("{}:{}", path, number));
    if (!litmus) return fail(litmus.error());
    JudgeOptions judging;
    judging.models = models_to_judge(question);
    judging.steps = options.steps;
    judging.timeout = options.timeout_ns;
    judging.witnesses = false;
    const Judgement judgement = judge(litmus->history, judging);
    std::fputs(
        (options.json ? batch_line(litmus->id, judgement) : batch_text(litmus->id, judgement))
            .c_str(),
        stdout);
    code = worse_exit_code(code, batch_exit_code(judgement, question));
  }
  return code;
}

int check_in_memory(const std::string& path, const Options& options) {
  try {
    return options.batch ? check_batch(path, options) : check_file(path, options);
  } catch (const std::bad_alloc&) {  // while reading: what judges says inconclusive by itself
    return fail(environment_error(
        path + ": the history does not fit into memory; raise --check-memory or shorten it"));
  }
}

std::vector<std::string> format_names() {
  std::vector<std::string> names = import_format_names();
  names.emplace_back("consistory");
  return names;
}

Status set_limits(Options& options) {
  if (!options.timeout.empty()) {
    const Result<Nanos> timeout = parse_duration(options.timeout);
    if (!timeout) return timeout.error();
    options.timeout_ns = *timeout;
  }
  if (options.memory.empty()) return Done{};
  const Result<std::uint64_t> memory = parse_bytes(options.memory);
  return memory ? limit_memory(*memory) : memory.error();
}

int act(Options& options) {
  if (Status limits = set_limits(options); !limits) return fail(limits.error());
  int code = 0;
  for (const std::string& path : options.files) {
    const int one = check_in_memory(path, options);
    if (one == 64 || one == 69) return one;
    code = worse_exit_code(code, one);
  }
  return code;
}

}  // namespace

std::function<int()> define_check(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("files", options->files, "History files; - for standard input")->required();
  app.add_option("-m,--model", options->models,
                 "Models, or isolation levels, to judge (default: all)")
      ->delimiter(',');
  app.add_option("--require", options->require,
                 "Models whose violation is exit 1 (default: those of -m; else what "
                 "the history says was promised; else all)")
      ->delimiter(',');
  app.add_option("--expect-violation", options->expect_violation,
                 "Models that must be found violated")
      ->delimiter(',');
  app.add_option("--check-steps", options->steps, "Budget of each search, in steps")
      ->capture_default_str();
  app.add_option("--check-timeout", options->timeout,
                 "Time to judge a history in; what is then open is inconclusive");
  app.add_option("--check-memory", options->memory,
                 "Memory to use, as in 500M; what does not fit is inconclusive");
  app.add_option_function<std::size_t>("--threads", set_worker_count,
                                       "Threads to check with (default: one for each processor); "
                                       "the verdict does not depend on it");
  app.add_option("--report", options->report, "Write an HTML report to this file");
  app.add_flag("--batch", options->batch, "Each line is one whole history (litmus format)");
  app.add_option("--format", options->format,
                 "The file's format (default: as it looks): consistory, or of other projects " +
                     join(import_format_names(), ", "))
      ->transform(CLI::IsMember(format_names()));
  app.add_flag("--keyed", options->keyed, "Jepsen: every value is a tuple [key value]");
  app.add_flag("--json", options->json, "Print JSON instead of text");
  return [options] { return act(*options); };
}

}  // namespace consistory
