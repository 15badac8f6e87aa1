#include "harness/run/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/run/interrupt.h"

namespace consistory {
namespace {

constexpr int kFinalAttempts = 5;

}  // namespace

void MarkQueue::push(Mark mark) {
  const std::lock_guard lock(mutex_);
  marks_.push_back(std::move(mark));
}

std::vector<Mark> MarkQueue::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(marks_, {});
}

Load::Load(const RunPlan& plan, Cluster& cluster, Journal& journal, MarkQueue& marks,
           Progress& progress)
    : plan_(plan),
      cluster_(cluster),
      journal_(journal),
      marks_(marks),
      progress_(progress),
      random_(Random(plan.seed).fork("operations")),
      node_random_(Random(plan.seed).fork("nodes")),
      clients_(with_prefix(cluster.clients(plan.concurrency + plan.nodes), plan.key_prefix)),
      started_(monotonic_now()) {
  for (const Workload* workload : plan.workloads)
    generators_.push_back(workload->make(plan.workload_options));
  for (std::size_t i = 0; i < plan.concurrency; ++i) {
    sessions_.push_back({std::to_string(i), i % plan.nodes + 1, {}, false, {}});
    idle_.push_back(i);
  }
  for (Place node = 1; node <= plan.nodes; ++node) {
    sessions_.push_back({"final-" + Cluster::name(node), node, {}, true, {}});
  }
}

Invocation Load::next_invocation(std::size_t session) {
  const std::size_t chosen = random_.below(generators_.size());
  Invocation invocation = generators_[chosen]->next(session, random_);
  invocation.list = plan_.workloads[chosen]->lists();
  invocation.set = plan_.workloads[chosen]->sets();
  invocation.counter = plan_.workloads[chosen]->counters();
  return invocation;
}

void Load::issue(std::size_t slot, Invocation invocation) {
  Session& session = sessions_[slot];
  if (!session.final && plan_.sessions_move && node_random_.chance(kMoveChance)) {
    session.node = node_random_.below(plan_.nodes) + 1;
  }
  session.invocation = std::move(invocation);
  ClientEvent event;
  event.time = now();
  event.session = session.name;
  event.function = session.invocation.function;
  event.key = session.invocation.key;
  event.value = session.invocation.value;
  event.expected = session.invocation.expected;
  event.node = Cluster::name(session.node);
  event.final = event.local = session.final;
  journal_.record(event);
  issued_now_.push_back(slot);
}

void Load::issue_due() {
  const Nanos at = now();
  pace_.forgive(at);
  while (!idle_.empty() && pace_.is_due(at) && at < plan_.duration) {
    issue(idle_.front(), next_invocation(idle_.front()));
    idle_.pop_front();
    pace_.issued(at);
    ++issued_;
  }
}

/// The journal first: an operation that the store may know of is never missing in the history.
Status Load::send_issued() {
  if (Status flushed = journal_.flush(); !flushed) return flushed;
  for (const std::size_t slot : issued_now_) {
    const Session& session = sessions_[slot];
    clients_->start(
        slot, {session.invocation, session.node, session.final, session.token, plan_.op_timeout});
    ++in_flight_;
  }
  issued_now_.clear();
  return Done{};
}

void Load::record_completion(const Session& session, const Completion& completion) {
  ClientEvent event;
  event.time = now();
  event.session = session.name;
  event.outcome = completion.outcome;
  event.function = session.invocation.function;
  event.key = session.invocation.key;
  event.node = Cluster::name(session.node);
  const bool read = event.function == Function::read;
  event.value = read ? completion.value : session.invocation.value;
  if (read) event.elements = completion.elements;
  // What counts nothing is like what nobody wrote.
  if (read && session.invocation.counter && event.value == Value::of(0)) event.value = {};
  event.version = completion.version;
  event.swapped = completion.swapped;
  event.expected = session.invocation.expected;
  event.seen = completion.seen;
  event.final = event.local = session.final;
  event.error = completion.error;
  journal_.record(event);
}

std::vector<std::size_t> Load::complete(Nanos wait) {
  std::vector<std::size_t> slots;
  for (const Clients::Finished& finished : clients_->poll(wait)) {
    Session& session = sessions_[finished.slot];
    const Completion& completion = finished.completion;
    record_completion(session, completion);
    if (!completion.token.empty()) session.token = completion.token;
    ok_ += completion.outcome == Outcome::ok ? 1 : 0;
    --in_flight_;
    if (completion.outcome == Outcome::ok || !session.final) slots.push_back(finished.slot);
    else slots.push_back(finished.slot + sessions_.size());  // a final read that failed
  }
  return slots;
}

void Load::take_marks() {
  for (const Mark& mark : marks_.take()) {
    journal_.record(mark);
    if (!mark.state.empty()) {
      progress_.event(fmt::format("{:6.2f} s  {} {} {}", static_cast<double>(mark.time) / kSecond,
                                  mark.what, mark.state, mark.detail));
    }
  }
}

void Load::show_state() {
  progress_.state(fmt::format("load {:.0f}/{:.0f} s: {} operations, {} ok, {} in flight",
                              static_cast<double>(now()) / kSecond,
                              static_cast<double>(plan_.duration) / kSecond, issued_, ok_,
                              in_flight_));
}

Status Load::watch_nodes() {
  if (now() - last_watch_ < kWatchEvery) return Done{};
  last_watch_ = now();
  if (const auto end = cluster_.unexpected_end()) return store_error(*end);
  return Done{};
}

Status Load::run() {
  Status healthy = Done{};
  for (;;) {
    take_marks();
    const bool over = now() >= plan_.duration || interrupts() > 0 || !healthy;
    if (!over) issue_due();
    if (Status sent = send_issued(); !sent) return sent;
    if (over && (in_flight_ == 0 || interrupts() > 1)) break;
    if (now() > plan_.duration + plan_.op_timeout + kLateMax) {
      healthy =
          store_error(fmt::format("{} operations never came back from their client", in_flight_));
      break;
    }
    for (const std::size_t slot : complete(pace_.wait(now(), idle_.empty()))) idle_.push_back(slot);
    if (healthy) healthy = watch_nodes();
    show_state();
  }
  take_marks();
  if (Status flushed = journal_.flush(); !flushed) return flushed;
  return healthy;
}

Status Load::read_finals() {
  if (!plan_.store->reads_locally()) return Done{};
  std::vector<Invocation> reads;
  for (std::size_t i = 0; i < generators_.size(); ++i) {
    for (std::string& key : generators_[i]->keys())
      reads.push_back({Function::read,
                       std::move(key),
                       {},
                       {},
                       plan_.workloads[i]->lists(),
                       plan_.workloads[i]->sets(),
                       plan_.workloads[i]->counters()});
  }
  std::vector<std::size_t> next(plan_.nodes, 0);
  std::vector<int> attempts(plan_.nodes, 0);
  const auto issue_next = [&](std::size_t node) {
    if (next[node] < reads.size()) issue(plan_.concurrency + node, reads[next[node]]);
  };
  for (std::size_t node = 0; node < plan_.nodes; ++node) issue_next(node);
  for (;;) {
    take_marks();
    if (Status sent = send_issued(); !sent) return sent;
    if (in_flight_ == 0 || interrupts() > 1) break;
    for (const std::size_t slot : complete(kPollMax)) {
      const bool failed = slot >= sessions_.size();
      const std::size_t node = (failed ? slot - sessions_.size() : slot) - plan_.concurrency;
      const bool again = failed && ++attempts[node] < kFinalAttempts;
      if (!again) {
        ++next[node];
        attempts[node] = 0;
      }
      issue_next(node);
    }
    progress_.state("final reads");
  }
  return journal_.flush();
}

std::size_t Load::remove_keys() {
  std::size_t left = 0;
  for (const auto& generator : generators_) {
    for (std::string& key : generator->keys()) {
      clients_->start(
          0, {{Function::remove, std::move(key), {}, {}, false}, 1, false, "", plan_.op_timeout});
      std::vector<Clients::Finished> finished;
      const Nanos deadline = monotonic_now() + plan_.op_timeout + kLateMax;
      while (finished.empty() && monotonic_now() < deadline) finished = clients_->poll(kPollMax);
      if (finished.empty()) return left + 1;
      left += finished.front().completion.outcome == Outcome::ok ? 0 : 1;
    }
  }
  return left;
}

}  // namespace consistory
