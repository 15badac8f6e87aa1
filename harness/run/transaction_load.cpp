#include "harness/run/transaction_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/run/interrupt.h"

namespace consistory {
namespace {

/// A string as EDN and JSON both write it.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string text_of(const Value& value) {
  return value.kind == Value::Kind::integer ? std::to_string(value.integer) : quoted(value.text);
}

std::string list_of(const std::vector<Value>& values) {
  std::string text = "[";
  for (const Value& value : values) text += (text.size() > 1 ? " " : "") + text_of(value);
  return text + "]";
}

/// `[[:append "t1" 2] [:r "t1" [2]]]`; without `lists` nothing is known of what was read.
std::string edn_of(const std::vector<TransactionStep>& steps,
                   const std::vector<std::vector<Value>>* lists) {
  std::string text = "[";
  std::size_t reads = 0;
  for (const TransactionStep& step : steps) {
    const bool known = lists != nullptr && reads < lists->size();
    const std::string value = step.appends ? text_of(step.value)
                              : known      ? list_of((*lists)[reads])
                                           : "nil";
    reads += step.appends ? 0 : 1;
    text += fmt::format("{}[{} {} {}]", text.size() > 1 ? " " : "", step.appends ? ":append" : ":r",
                        quoted(step.key), value);
  }
  return text + "]";
}

}  // namespace

Result<std::unique_ptr<TransactionLoad>> TransactionLoad::create(const RunPlan& plan,
                                                                 Cluster& cluster,
                                                                 Progress& progress,
                                                                 const std::string& path,
                                                                 Nanos started) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr)
    return environment_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return std::unique_ptr<TransactionLoad>(
      new TransactionLoad(plan, cluster, progress, file, started));
}

TransactionLoad::TransactionLoad(const RunPlan& plan, Cluster& cluster, Progress& progress,
                                 std::FILE* file, Nanos started)
    : plan_(plan),
      cluster_(cluster),
      progress_(progress),
      file_(file),
      started_(started),
      random_(Random(plan.seed).fork("operations")),
      node_random_(Random(plan.seed).fork("nodes")),
      generator_(plan.workloads.front()->make(plan.workload_options)),
      clients_(with_prefix(cluster.clients(plan.concurrency), plan.key_prefix)) {
  for (std::size_t i = 0; i < plan.concurrency; ++i) {
    sessions_.push_back({i, i % plan.nodes + 1, {}});
    idle_.push_back(i);
  }
}

Status TransactionLoad::run() {
  Status healthy = Done{};
  for (;;) {
    const bool over = now() >= plan_.duration || interrupts() > 0 || !healthy;
    if (!over) {
      if (Status issued = issue_due(); !issued) return issued;
    }
    if (over && (in_flight_ == 0 || interrupts() > 1)) break;
    if (now() > plan_.duration + plan_.op_timeout + kLateMax)
      return store_error(fmt::format("{} transactions never came back", in_flight_));
    complete(pace_.wait(now(), idle_.empty()));
    if (healthy) healthy = watch();
    progress_.state(fmt::format("load {:.0f}/{:.0f} s: {} transactions committed",
                                static_cast<double>(now()) / kSecond,
                                static_cast<double>(plan_.duration) / kSecond, counts_.ok));
  }
  if (Status flushed = flush(); !flushed) return flushed;
  return healthy;
}

/// The history first: a transaction that the store may know of is never missing in it.
Status TransactionLoad::issue_due() {
  const Nanos at = now();
  pace_.forgive(at);
  std::vector<std::size_t> issued;
  while (!idle_.empty() && pace_.is_due(at)) {
    const std::size_t slot = idle_.front();
    idle_.pop_front();
    Session& session = sessions_[slot];
    if (plan_.sessions_move && node_random_.chance(kMoveChance))
      session.node = node_random_.below(plan_.nodes) + 1;
    session.steps = generator_->next(slot, random_).steps;
    record(session, "invoke", nullptr, {});
    issued.push_back(slot);
    pace_.issued(at);
  }
  if (Status flushed = flush(); !flushed) return flushed;
  for (const std::size_t slot : issued) {
    ClientRequest request;
    request.invocation.steps = sessions_[slot].steps;
    request.node = sessions_[slot].node;
    request.timeout = plan_.op_timeout;
    clients_->start(slot, std::move(request));
    ++in_flight_;
  }
  return Done{};
}

void TransactionLoad::complete(Nanos wait) {
  for (const Clients::Finished& finished : clients_->poll(wait)) {
    Session& session = sessions_[finished.slot];
    const Completion& completion = finished.completion;
    const bool ok = completion.outcome == Outcome::ok;
    const bool unknown_outcome = completion.outcome == Outcome::info;
    record(session,
           ok                ? "ok"
           : unknown_outcome ? "info"
                             : "fail",
           ok ? &completion.lists : nullptr, completion.error);
    ++(ok ? counts_.ok : unknown_outcome ? counts_.info : counts_.fail);
    if (unknown_outcome) session.process += plan_.concurrency;
    idle_.push_back(finished.slot);
    --in_flight_;
  }
}

Status TransactionLoad::watch() {
  if (now() - last_watch_ < kWatchEvery) return Done{};
  last_watch_ = now();
  if (const auto end = cluster_.unexpected_end()) return store_error(*end);
  return Done{};
}

void TransactionLoad::record(const Session& session, std::string_view type,
                             const std::vector<std::vector<Value>>* lists,
                             const std::string& error) {
  buffer_ += fmt::format("{{:index {}, :time {}, :type :{}, :process {}, :f :txn, :value {}{}}}\n",
                         events_++, now(), type, session.process, edn_of(session.steps, lists),
                         error.empty() ? std::string() : ", :error " + quoted(error));
}

Status TransactionLoad::flush() {
  const bool written =
      std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) == buffer_.size() &&
      std::fflush(file_.get()) == 0;
  buffer_.clear();
  if (written) return Done{};
  return environment_error(fmt::format("cannot write the history: {}", std::strerror(errno)));
}

}  // namespace consistory
