// slow: a node gets only a share of the processor: it is stopped and continued many times a second.
// Evidence is how often it was stopped, and for how much of the time.
#include <fmt/format.h>

#include <utility>

#include "base/suggest.h"
#include "nemesis/node_count.h"

namespace consistory {
namespace {

constexpr Nanos kStopped = 40 * kMillisecond;
constexpr Nanos kRuns = 10 * kMillisecond;

class Slow final : public Fault {
 public:
  explicit Slow(const FaultSpec& spec) : spec_(spec) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    targets_ = draw_targets(spec_, controls, random);
    began_ = monotonic_now();
    if (Status stopped = beat(controls, random); !stopped) return stopped.error();
    return fmt::format("{} runs {} of every {} ms", names_of(controls, targets_),
                       kRuns / kMillisecond, (kRuns + kStopped) / kMillisecond);
  }

  Nanos beat_every() const override { return stopped_ ? kStopped : kRuns; }

  Status beat(Controls& controls, Random&) override {
    stopped_ = !stopped_;
    return stopped_ ? stop(controls) : go_on(controls);
  }

  std::string evidence(const Controls&) const override {
    if (stops_ < 3) return {};
    return fmt::format("stopped {} times, {} of {} ms", stops_, stopped_for_ / kMillisecond,
                       (monotonic_now() - began_) / kMillisecond);
  }

  Status heal(Controls& controls) override { return go_on(controls); }

  std::vector<Place> targets() const override { return targets_; }

 private:
  Status stop(Controls& controls) {
    for (const Place node : targets_) {
      const Result<std::string> state = controls.processes->pause(node);
      if (!state) return state.error();
      if (!state->empty()) held_.push_back(node);
    }
    if (held_.empty()) return Done{};  // all are down
    stopped_at_ = monotonic_now();
    ++stops_;
    return Done{};
  }

  Status go_on(Controls& controls) {
    if (!held_.empty()) stopped_for_ += monotonic_now() - stopped_at_;
    for (const Place node : std::exchange(held_, {})) {
      if (Status resumed = controls.processes->resume(node); !resumed) return resumed;
    }
    return Done{};
  }

  FaultSpec spec_;
  std::vector<Place> targets_, held_;
  bool stopped_ = false;
  std::uint64_t stops_ = 0;
  Nanos began_ = 0, stopped_at_ = 0, stopped_for_ = 0;
};

}  // namespace

std::unique_ptr<Fault> make_slow(const FaultSpec& spec, Random&) {
  return std::make_unique<Slow>(spec);
}

}  // namespace consistory
