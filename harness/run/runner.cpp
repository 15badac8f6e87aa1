#include "harness/run/runner.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <new>

#include "base/duration.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/suggest.h"
#include "harness/run/begin_record.h"
#include "harness/run/interrupt.h"
#include "harness/run/load.h"
#include "harness/run/overall.h"
#include "harness/run/site.h"
#include "nemesis/nemesis.h"
#include "results/availability.h"
#include "results/json_files.h"
#include "results/report.h"
#include "results/run_directory.h"

namespace consistory {
namespace {

constexpr Nanos kSettleTimeout = 20 * kSecond;
constexpr Nanos kSettleTimeoutInterrupted = 5 * kSecond;
constexpr Nanos kSettlePoll = 150 * kMillisecond;

/// The verdicts stand without what takes more memory than may be used.
template <class Work>
void unless_out_of_memory(const Work& work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
  }
}

class Run {
 public:
  Run(const RunPlan& plan, const RunDirectory& directory, bool quiet)
      : plan_(plan), directory_(directory), progress_(quiet) {
    record_ = begin_record(plan, directory);
    for (const Model* model : plan.models) record_.models_judged.emplace_back(model->name);
  }

  Result<RunResult> perform() {
    Result<RunResult> result = perform_steps();
    if (!result) give_up(result.error());
    return result;
  }

 private:
  Result<RunResult> perform_steps() {
    set_cleanup_pending(true);
    if (Status written = save_run_json(); !written) return written.error();
    progress_.event(fmt::format("seed {}: {}; {}", plan_.seed, record_.store, plan_.description));
    Result<std::unique_ptr<Site>> site = Site::open(plan_, directory_);
    if (!site) return site.error();
    Result<Journal> journal = Journal::create(directory_.file("history.jsonl"), header());
    if (!journal) return journal.error();
    if (Status loaded = load_and_settle((*site)->cluster(), *journal); !loaded)
      return loaded.error();
    (*site)->close(!record_.failure.empty());
    set_cleanup_pending(false);
    if (Status examined = check(); !examined) return examined.error();
    unless_out_of_memory([&] { read_messages(); });
    if (Status saved = save(); !saved) return saved.error();
    return RunResult{std::move(record_)};
  }

  HistoryHeader header() const {
    return {record_.nodes, plan_.promised, record_.store + "; " + record_.arguments, plan_.seed};
  }

  /// There is no run to speak of: say so in the directory too.
  void give_up(const Error& error) {
    record_.status = error.kind == ErrorKind::store ? "store-failed" : "environment";
    record_.failure = error.message;
    (void)save_run_json();
  }

  Status load_and_settle(Cluster& cluster, Journal& journal) {
    MarkQueue marks;
    Load load(plan_, cluster, journal, marks, progress_);
    const Nanos started = load_began_ = load.started();
    Nemesis nemesis(
        plan_.schedule, cluster.controls(), Random(plan_.seed).fork("faults"),
        [&](const FaultEvent& event) { marks.push(mark_of(event, monotonic_now() - started)); });
    nemesis.start();
    const Status loaded = load.run();
    const Status healed = nemesis.stop();
    record_.duration_ns = monotonic_now() - started;
    if (!loaded && loaded.error().kind == ErrorKind::environment) return loaded;
    if (!loaded) record_.failure = loaded.error().message;
    if (!healed && record_.failure.empty()) record_.failure = healed.error().message;
    const bool settled = record_.failure.empty() && interrupts() < 2 && settle(cluster);
    marks.push({monotonic_now() - started, "runner", "settled", "", settled ? "true" : "false"});
    const Status finals = read_finals(load, cluster);
    tidy_up(load);
    for (const Mark& mark : marks.take()) journal.record(mark);
    const bool failed = !record_.failure.empty();
    record_.status = interrupts() > 0 ? "interrupted" : failed ? "store-failed" : "finished";
    const Status flushed = journal.flush();
    return finals ? flushed : finals;
  }

  void read_messages() {
    std::vector<std::string> logs;
    for (const std::string& node : record_.nodes)
      logs.push_back(directory_.file(fmt::format("logs/{}.log", node)));
    record_.messages = plan_.store->messages(logs, load_began_);
  }

  /// Of a store that goes on without us.
  void tidy_up(Load& load) {
    if (plan_.key_prefix.empty()) return;
    const bool removes = plan_.store->supports(Function::remove) && !plan_.keep_keys;
    const std::size_t left = removes && interrupts() < 2 ? load.remove_keys() : 1;
    if (left > 0)
      record_.left_out.push_back(fmt::format("the keys {}… stay in the store{}", plan_.key_prefix,
                                             removes           ? ": some could not be deleted"
                                             : plan_.keep_keys ? ""
                                                               : ", which cannot delete"));
  }

  Status read_finals(Load& load, Cluster& cluster) {
    if (!record_.failure.empty() || interrupts() > 1) return Done{};
    Status finals = load.read_finals();
    note_unexpected_end(cluster);
    return finals;
  }

  /// True if a node ended that nothing killed; the run has failed then.
  bool note_unexpected_end(Cluster& cluster) {
    const auto end = cluster.unexpected_end();
    if (end && record_.failure.empty()) record_.failure = *end;
    return end.has_value();
  }

  /// Waits until every node has drained and all stand at the same position, seen twice in a row.
  bool settle(Cluster& cluster) {
    if (!plan_.store->tells_when_drained()) {
      progress_.event(
          fmt::format("this store does not tell when it has settled: final reads in {} (--settle)",
                      format_duration(plan_.settle)));
      pause_for(plan_.settle);
      return false;
    }
    const Nanos from = monotonic_now();
    std::string before;
    while (interrupts() < 2 && !note_unexpected_end(cluster)) {
      const Nanos patience = interrupts() > 0 ? kSettleTimeoutInterrupted : kSettleTimeout;
      if (monotonic_now() - from > patience) break;
      const std::string position = common_position(cluster);
      if (!position.empty() && position == before) return true;
      before = position;
      progress_.state("settling: waiting until every node has drained");
      pause_for(kSettlePoll);
    }
    progress_.event("the nodes did not settle: the final reads are judged as unsettled");
    return false;
  }

  std::string common_position(const Cluster& cluster) const {
    std::string common;
    for (Place node = 1; node <= plan_.nodes; ++node) {
      const std::optional<NodeStatus> status = cluster.status(node);
      if (!status || !status->drained) return {};
      const std::string position = "at " + status->position;
      if (node > 1 && position != common) return {};
      common = position;
    }
    return common;
  }

  Status check() {
    Result<Recording> recording = read_recording(directory_.file("history.jsonl"), "history.jsonl");
    if (!recording)
      return Error{ErrorKind::internal,
                   "our own history is malformed: " + recording.error().message};
    record_.recording = std::move(*recording);
    if (interrupts() == 0 && record_.failure.empty())
      record_.planned_operations =
          plan_.rate * static_cast<double>(plan_.duration) / static_cast<double>(kSecond);
    record_.checked = plan_.check && interrupts() < 2;
    if (record_.checked)
      progress_.event(fmt::format("checking {} operations", record_.history().size()));
    examine(record_);
    if (record_.status == "interrupted") record_.overall.exit_code = interrupt_exit_code();
    return Done{};
  }

  Status save_run_json() const {
    return write_file(directory_.file("run.json"), run_json(record_));
  }

  Status save() {
    if (Status written = save_run_json(); !written) return written;
    if (Status written = write_file(directory_.file("faults.jsonl"), faults_jsonl(record_));
        !written)
      return written;
    if (!record_.messages.empty()) {
      Status written =
          write_file(directory_.file("messages.jsonl"), messages_jsonl(record_.messages));
      if (!written) return written;
    }
    if (Status written = write_file(directory_.file("verdict.json"), verdict_json(record_));
        !written)
      return written;
    if (Status written = write_file(directory_.file("report.html"), report_html(record_)); !written)
      return written;
    directory_.mark_latest();
    return Done{};
  }

  const RunPlan& plan_;
  RunDirectory directory_;
  Progress progress_;
  Nanos load_began_ = 0;
  RunRecord record_;
};

}  // namespace

Result<RunResult> perform_run(const RunPlan& plan, const RunDirectory& directory, bool quiet) {
  return Run(plan, directory, quiet).perform();
}

namespace {

/// Is the model violated or, if nobody asked for it and its pattern is cheap to look for, one that
/// promises it?
bool may_be_violated(const Judgement& judgement, Anomaly anomaly) {
  const std::string_view model = forbidden_by(anomaly);
  const JudgedModel* asked = judgement.find(model);
  if (asked != nullptr) return asked->verdict.verdict == Verdict::violated;
  if (anomaly == Anomaly::overwritten_read) return false;  // takes what the model itself takes
  return std::any_of(judgement.models.begin(), judgement.models.end(), [&](const auto& judged) {
    const auto promised = implied_by(judged.model->name);
    return judged.verdict.verdict == Verdict::violated &&
           std::find(promised.begin(), promised.end(), model) != promised.end();
  });
}

void group_what_went_wrong(RunRecord& record) {
  record.anomalies = group_anomalies(record.history(), [&](Anomaly anomaly) {
    return may_be_violated(record.judgement, anomaly);
  });
}

/// What is told beside the verdicts, and needs none of them.
void measure(RunRecord& record) {
  Nanos healed = -1;
  for (const FaultRecord& fault : record.faults) healed = std::max(healed, fault.healed_ns);
  record.staleness = measure_staleness(record.history());
  record.pressure = measure_pressure(record.history(), record.recording.marks);
  constexpr double kHardlyAny = 0.02;
  const auto came = static_cast<double>(record.history().size());
  if (came < kHardlyAny * record.planned_operations)
    record.pressure.missing.push_back(
        fmt::format("only {} of some {:.0f} operations that were planned came about", came,
                    record.planned_operations));
  record.agreement = measure_agreement(record.history(), healed);
  record.availability = measure_availability(record.history(), record.faults);
}

}  // namespace

void examine(RunRecord& record) {
  JudgeOptions options;
  options.steps = record.check_steps;
  options.timeout = record.check_timeout;
  for (const std::string& name : record.models_judged) options.models.push_back(*find_model(name));
  if (record.check_memory > 0) static_cast<void>(limit_memory(record.check_memory));
  record.faults = faults_of(record.recording.marks);
  {
    const Beside measurements([&] { unless_out_of_memory([&] { measure(record); }); });
    const Nanos before = monotonic_now();
    if (record.checked) record.judgement = judge(record.history(), options);
    record.check_ns = monotonic_now() - before;
  }
  unless_out_of_memory([&] { group_what_went_wrong(record); });
  decide_overall(record);
}

}  // namespace consistory
