#include "harness/run/transaction_run.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "checkers/imports/import.h"
#include "checkers/transactions/witness.h"
#include "harness/run/begin_record.h"
#include "harness/run/interrupt.h"
#include "harness/run/load.h"
#include "harness/run/site.h"
#include "harness/run/transaction_load.h"
#include "nemesis/nemesis.h"
#include "results/json_files.h"

namespace consistory {
namespace {

constexpr const char* kHistory = "history.edn";

class TransactionRun {
 public:
  TransactionRun(const RunPlan& plan, const RunDirectory& directory, bool quiet)
      : plan_(plan), directory_(directory), progress_(quiet) {
    record_.run = begin_record(plan, directory);
    for (const LevelInfo* level : plan.levels) record_.run.models_judged.emplace_back(level->name);
  }

  Result<TransactionRecord> perform() {
    const Status performed = perform_steps();
    if (performed) return std::move(record_);
    record_.run.status =
        performed.error().kind == ErrorKind::store ? "store-failed" : "environment";
    record_.run.failure = performed.error().message;
    (void)write_file(directory_.file("run.json"), run_json(record_.run));
    return performed.error();
  }

 private:
  Status perform_steps() {
    set_cleanup_pending(true);
    const RunRecord& run = record_.run;
    if (Status written = write_file(directory_.file("run.json"), run_json(run)); !written)
      return written;
    progress_.event(fmt::format("seed {}: {}; {}", plan_.seed, run.store, plan_.description));
    Result<std::unique_ptr<Site>> site = Site::open(plan_, directory_);
    if (!site) return site.error();
    if (Status loaded = load((*site)->cluster()); !loaded) return loaded;
    (*site)->close(!run.failure.empty());
    set_cleanup_pending(false);
    if (Status judged = judge(); !judged) return judged;
    return save();
  }

  Status load(Cluster& cluster) {
    MarkQueue marks;
    const Nanos started = load_began_ = monotonic_now();
    auto load =
        TransactionLoad::create(plan_, cluster, progress_, directory_.file(kHistory), started);
    if (!load) return load.error();
    Nemesis nemesis(
        plan_.schedule, cluster.controls(), Random(plan_.seed).fork("faults"),
        [&](const FaultEvent& event) { marks.push(mark_of(event, monotonic_now() - started)); });
    nemesis.start();
    const Status loaded = (*load)->run();
    const Status healed = nemesis.stop();
    RunRecord& run = record_.run;
    run.duration_ns = monotonic_now() - started;
    if (!loaded && loaded.error().kind == ErrorKind::environment) return loaded;
    if (!loaded) run.failure = loaded.error().message;
    if (!healed && run.failure.empty()) run.failure = healed.error().message;
    run.faults = faults_of(marks.take());
    run.status = interrupts() > 0       ? "interrupted"
                 : !run.failure.empty() ? "store-failed"
                                        : "finished";
    const TransactionLoad::Counts& counts = (*load)->counts();
    record_.counts.ok = counts.ok;
    record_.counts.fail = counts.fail;
    record_.counts.info = counts.info;
    return Done{};
  }

  /// From the file, as anybody may judge it again.
  Status judge() {
    std::ifstream file(directory_.file(kHistory), std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    Result<Imported> imported = import_history(content.str(), kHistory, {ImportFormat::edn, false});
    if (!imported || !std::holds_alternative<TransactionHistory>(*imported))
      return Error{ErrorKind::internal,
                   "our own history is malformed: " +
                       (imported ? "no transactions" : imported.error().message)};
    record_.history = std::get<TransactionHistory>(std::move(*imported));
    progress_.event(fmt::format("checking {} transactions", record_.history.transactions.size()));
    if (plan_.check_memory > 0) static_cast<void>(limit_memory(plan_.check_memory));
    TransactionOptions options;
    options.steps = plan_.check_steps;
    for (const LevelInfo* level : plan_.levels) options.levels.push_back(level->level);
    const Nanos before = monotonic_now();
    {
      const TimeLimit limit(plan_.check_timeout > 0 ? plan_.check_timeout : TimeLimit::kNone);
      record_.judgement = judge_transactions(record_.history, options);
      attach_witnesses(record_.history, record_.judgement);
    }
    record_.run.check_ns = monotonic_now() - before;
    record_.run.overall = overall_of(record_);
    if (record_.run.status == "interrupted") record_.run.overall.exit_code = interrupt_exit_code();
    return Done{};
  }

  /// What nodes said to each other, of stores that let it be seen.
  Status save_messages() {
    std::vector<std::string> logs;
    for (const std::string& node : record_.run.nodes)
      logs.push_back(directory_.file(fmt::format("logs/{}.log", node)));
    const std::vector<Message> messages = plan_.store->messages(logs, load_began_);
    if (messages.empty()) return Done{};
    return write_file(directory_.file("messages.jsonl"), messages_jsonl(messages));
  }

  Status save() {
    if (Status written = save_messages(); !written) return written;
    const RunRecord& run = record_.run;
    for (const auto& [name, content] :
         {std::pair{"run.json", run_json(run)}, std::pair{"faults.jsonl", faults_jsonl(run)},
          std::pair{"verdict.json", transaction_run_json(record_)},
          std::pair{"report.html", transaction_run_html(record_)}}) {
      if (Status written = write_file(directory_.file(name), content); !written) return written;
    }
    directory_.mark_latest();
    return Done{};
  }

  const RunPlan& plan_;
  RunDirectory directory_;
  Progress progress_;
  Nanos load_began_ = 0;
  TransactionRecord record_;
};

}  // namespace

Result<TransactionRecord> perform_transaction_run(const RunPlan& plan,
                                                  const RunDirectory& directory, bool quiet) {
  return TransactionRun(plan, directory, quiet).perform();
}

}  // namespace consistory
