#include "nemesis/nemesis.h"

#include <algorithm>
#include <chrono>

namespace consistory {
namespace {
constexpr Nanos kEvidencePoll = 10 * kMillisecond;
constexpr Nanos kRecoveryPoll = 50 * kMillisecond;
constexpr Nanos kRecoveryTimeout = 3 * kSecond;  // who waits longer to try again stays unseen
}  // namespace

std::string_view name_of(FaultState state) {
  switch (state) {
    case FaultState::requested:
      return "requested";
    case FaultState::confirmed:
      return "confirmed";
    case FaultState::unconfirmed:
      return "unconfirmed";
    case FaultState::healed:
      return "healed";
    case FaultState::recovered:
      return "recovered";
  }
  return {};
}

Nemesis::Nemesis(std::vector<PlannedFault> plan, Controls controls, Random random,
                 std::function<void(const FaultEvent&)> report)
    : plan_(std::move(plan)),
      controls_(std::move(controls)),
      random_(random),
      report_(std::move(report)) {}

Nemesis::~Nemesis() { (void)stop(); }

void Nemesis::start() {
  started_ = monotonic_now();
  thread_ = std::thread([this] { run(); });
}

Status Nemesis::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

bool Nemesis::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

/// Until the deadline, or until asked to stop; true if so.
bool Nemesis::asked_to_stop_by(Nanos deadline) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Nanos left = deadline - monotonic_now();
    if (left <= 0) return false;
    wake_.wait_for(lock, std::chrono::nanoseconds(left));
  }
  return true;
}

void Nemesis::run() {
  std::size_t next = 0;
  while (next < plan_.size() || !active_.empty() || !healed_.empty()) {
    const bool is_next = next < plan_.size() && may_strike(plan_[next]);
    const Nanos next_strike = is_next ? when(plan_[next]) : INT64_MAX;
    if (asked_to_stop_by(std::min(next_strike, next_turn())) || failed()) break;
    if (monotonic_now() >= next_strike && may_strike(plan_[next])) {
      strike(next, plan_[next]);
      ++next;
    }
    attend();
  }
  heal_all();
  await_recoveries();
  const std::lock_guard lock(mutex_);
  finished_ = true;
}

/// What starts nodes comes last: they may wait for links, or for others that are paused.
void Nemesis::heal_all() {
  const auto starts_nodes = [](const Active& active) {
    return active.kind->name == "kill" || active.kind->name == "disk";
  };
  std::stable_partition(active_.begin(), active_.end(),
                        [&](const Active& active) { return !starts_nodes(active); });
  for (Active& active : active_) heal(active);
  active_.clear();
}

/// Two faults of a kind would take back each other's; only who wrote a schedule may want that.
bool Nemesis::may_strike(const PlannedFault& planned) const {
  return planned.exact || std::none_of(active_.begin(), active_.end(), [&](const Active& active) {
           return active.kind == planned.spec.kind;
         });
}

/// A heal may take long (a node that copies all its data first): what was planned for after it
/// comes that much later, or faults that were to follow each other would strike at once.
Nanos Nemesis::when(const PlannedFault& planned) const {
  return started_ + planned.at + (planned.exact ? 0 : late_);
}

bool Nemesis::failed() const {
  const std::lock_guard lock(mutex_);
  return !outcome_;
}

void Nemesis::note(const Status& status) {
  const std::lock_guard lock(mutex_);
  if (!status && outcome_) outcome_ = status.error();
}

void Nemesis::strike(std::size_t number, const PlannedFault& planned) {
  Active active;
  active.kind = planned.spec.kind;
  active.fault = planned.spec.kind->make(planned.spec, random_);
  active.event = {number, planned.spec.name(), FaultState::requested, "", "", "", {}};
  report_(active.event);
  const Result<std::string> what = active.fault->inject(controls_, random_);
  const Nanos now = monotonic_now();
  active.end = what ? now + planned.span : now;
  active.next_beat = active.fault->beat_every() > 0 ? now + active.fault->beat_every() : INT64_MAX;
  if (what) {
    active.event.what = *what;
    for (const Place place : active.fault->targets())
      active.event.targets.push_back(controls_.node_names[place]);
  } else {
    note(what.error());
  }
  active_.push_back(std::move(active));
}

/// When something is to be done about a fault that is active.
Nanos Nemesis::next_turn() const {
  Nanos at = INT64_MAX;
  for (const Active& active : active_) {
    at = std::min({at, active.end, active.next_beat});
    if (active.event.evidence.empty()) at = std::min(at, active.looked + kEvidencePoll);
  }
  return healed_.empty() ? at : std::min(at, monotonic_now() + kRecoveryPoll);
}

void Nemesis::attend() {
  for (Active& active : active_) {
    look_for_evidence(active);
    if (monotonic_now() >= active.end) {
      heal(active);
    } else if (monotonic_now() >= active.next_beat) {
      note(active.fault->beat(controls_, random_));
      const Nanos every = active.fault->beat_every();
      active.next_beat = every > 0 ? monotonic_now() + every : INT64_MAX;
    }
  }
  std::erase_if(active_, [](const Active& active) { return active.fault == nullptr; });
  look_for_recoveries();
}

void Nemesis::look_for_recoveries() {
  std::erase_if(healed_, [&](Active& active) {
    const std::optional<std::string> proof = active.fault->recovery(controls_);
    if (proof && proof->empty()) return monotonic_now() >= active.end;
    if (!proof) return true;
    active.event.state = FaultState::recovered;
    active.event.recovery = *proof;
    report_(active.event);
    return true;
  });
}

/// At the end of the schedule, when what was healed last has had no time yet.
void Nemesis::await_recoveries() {
  for (look_for_recoveries(); !healed_.empty() && !failed(); look_for_recoveries())
    pause_for(kRecoveryPoll);
}

void Nemesis::look_for_evidence(Active& active) {
  if (!active.event.evidence.empty() || monotonic_now() < active.looked + kEvidencePoll) return;
  active.event.evidence = active.fault->evidence(controls_);
  active.looked = monotonic_now();
  if (active.event.evidence.empty()) return;
  active.event.state = FaultState::confirmed;
  report_(active.event);
}

void Nemesis::heal(Active& active) {
  const std::string in_the_end = active.fault->evidence(controls_);
  if (!in_the_end.empty()) active.event.evidence = in_the_end;
  if (active.event.state == FaultState::requested) {
    active.event.state =
        active.event.evidence.empty() ? FaultState::unconfirmed : FaultState::confirmed;
    report_(active.event);
  }
  const Nanos begun = monotonic_now();
  const Status healed = active.fault->heal(controls_);
  note(healed);
  late_ += monotonic_now() - begun;
  active.event.state = FaultState::healed;
  if (!healed) return active.fault.reset();
  report_(active.event);
  active.end = monotonic_now() + kRecoveryTimeout;
  healed_.push_back(std::move(active));
}

}  // namespace consistory
