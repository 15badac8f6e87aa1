// revise: a session reads a register, writes it and reads it a few times more, over and over. It
// shows what becomes of an update that follows what was read: lost updates, and writes that are
// ordered below the value that they revise. All registers are used alike, so that a value stays for
// a while.
#include <map>

#include "workloads/workload.h"
#include "workloads/written_keys.h"

namespace consistory {
namespace {

class ReviseGenerator final : public Generator {
 public:
  explicit ReviseGenerator(const WorkloadOptions& options) : keys_('v', options.keys) {}

  Invocation next(std::size_t session, Random& random) override {
    constexpr std::size_t kWrite = 1, kSteps = 8;
    Revision& revision = revisions_[session];
    if (revision.step == 0) revision.key = random.below(keys_.count());
    const bool writes = revision.step == kWrite;
    revision.step = (revision.step + 1) % kSteps;
    if (!writes) return {Function::read, keys_.name(revision.key), {}};
    keys_.mark(revision.key);
    return {Function::write, keys_.name(revision.key), Value::of(++last_value_)};
  }

  std::vector<std::string> keys() const override { return keys_.names(); }

 private:
  /// What a session is at.
  struct Revision {
    std::size_t key = 0;
    std::size_t step = 0;
  };

  std::map<std::size_t, Revision> revisions_;  // by session
  WrittenKeys keys_;
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_revise_generator(const WorkloadOptions& options) {
  return std::make_unique<ReviseGenerator>(options);
}

}  // namespace consistory
