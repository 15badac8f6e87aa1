// pause: SIGSTOP, then SIGCONT at heal. Evidence is the process state that the system reports.
#include <fmt/format.h>

#include "base/suggest.h"
#include "nemesis/node_count.h"

namespace consistory {
namespace {

class Pause final : public Fault {
 public:
  explicit Pause(const FaultSpec& spec) : spec_(spec) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    for (const Place node : draw_targets(spec_, controls, random)) {
      Result<std::string> state = controls.processes->pause(node);
      if (!state) return state.error();
      if (state->empty()) continue;  // it is down
      targets_.push_back(node);
      states_.push_back(fmt::format("{} in state {}", controls.node_names[node], *state));
    }
    return names_of(controls, targets_);
  }

  std::string evidence(const Controls&) const override { return join(states_, "; "); }

  Status heal(Controls& controls) override {
    for (const Place node : targets_) {
      if (Status resumed = controls.processes->resume(node); !resumed) return resumed;
    }
    return Done{};
  }

  std::vector<Place> targets() const override { return targets_; }

 private:
  FaultSpec spec_;
  std::vector<Place> targets_;
  std::vector<std::string> states_;
};

}  // namespace

std::unique_ptr<Fault> make_pause(const FaultSpec& spec, Random&) {
  return std::make_unique<Pause>(spec);
}

}  // namespace consistory
