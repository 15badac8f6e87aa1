// kill: SIGKILL, then start again at heal. Evidence is the exit status that the system reports.
#include <fmt/format.h>

#include "base/suggest.h"
#include "nemesis/node_count.h"

namespace consistory {
namespace {

class Kill final : public Fault {
 public:
  explicit Kill(const FaultSpec& spec) : spec_(spec) {}

  Result<std::string> inject(Controls& controls, Random& random) override {
    for (const Place node : draw_targets(spec_, controls, random)) {
      Result<std::string> status = controls.processes->kill(node);
      if (!status) return status.error();
      if (status->empty()) continue;  // down by another fault, which will start it again
      targets_.push_back(node);
      ends_.push_back(fmt::format("{} {}", controls.node_names[node], *status));
    }
    return names_of(controls, targets_);
  }

  std::string evidence(const Controls&) const override { return join(ends_, "; "); }

  Status heal(Controls& controls) override { return controls.processes->ensure_running(targets_); }

  std::vector<Place> targets() const override { return targets_; }

 private:
  FaultSpec spec_;
  std::vector<Place> targets_;
  std::vector<std::string> ends_;
};

}  // namespace

std::unique_ptr<Fault> make_kill(const FaultSpec& spec, Random&) {
  return std::make_unique<Kill>(spec);
}

}  // namespace consistory
