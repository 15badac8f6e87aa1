#include "nemesis/nemesis.h"

#include <chrono>

namespace consistory {
namespace {
constexpr Nanos kEvidencePoll = 10 * kMillisecond;
}

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

bool Nemesis::wait_until(Nanos deadline) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Nanos left = deadline - monotonic_now();
    if (left <= 0) return true;
    wake_.wait_for(lock, std::chrono::nanoseconds(left));
  }
  return false;
}

void Nemesis::run() {
  for (std::size_t number = 0; number < plan_.size(); ++number) {
    if (!wait_until(started_ + plan_[number].at)) break;
    strike(number, plan_[number]);
    const std::lock_guard lock(mutex_);
    if (!outcome_) break;
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
}

void Nemesis::strike(std::size_t number, const PlannedFault& planned) {
  const std::unique_ptr<Fault> fault = planned.spec.kind->make(planned.spec.variant, random_);
  FaultEvent event{number, planned.spec.name(), FaultState::requested, "", "", {}};
  report_(event);
  Result<std::string> what = fault->inject(controls_, random_);
  if (what) {
    event.what = *what;
    for (const Place place : fault->targets()) event.targets.push_back(controls_.node_names[place]);
  }
  const Nanos end = monotonic_now() + planned.span;
  bool go_on = static_cast<bool>(what);
  while (go_on && event.evidence.empty() && monotonic_now() < end) {
    event.evidence = fault->evidence(controls_);
    if (event.evidence.empty()) go_on = wait_until(monotonic_now() + kEvidencePoll);
  }
  event.state = event.evidence.empty() ? FaultState::unconfirmed : FaultState::confirmed;
  report_(event);
  if (go_on) wait_until(end);
  const std::string in_the_end = fault->evidence(controls_);
  if (!in_the_end.empty()) event.evidence = in_the_end;
  const Status healed = fault->heal(controls_);
  event.state = FaultState::healed;
  report_(event);
  const std::lock_guard lock(mutex_);
  if (!what) outcome_ = what.error();
  if (!healed) outcome_ = healed.error();
}

}  // namespace consistory
