// overtake: short scripts over two fresh registers, for what registers hide when the last writer
// wins. A rival writes `data` a few times, which raises its version, and then watches `flag`; a
// messenger writes flag, data, flag, meanwhile and elsewhere. When the rival finds the second flag
// it has the messenger's data too, which came after a flag that the rival had not seen when it
// wrote; yet its own higher version still shows. No single order of updates explains that (PRAM,
// MODELS §3.2), though each read is explained by its own past. A random load needs minutes to do
// this by chance.
#include <fmt/format.h>

#include <map>

#include "workloads/workload.h"

namespace consistory {
namespace {

class OvertakeGenerator final : public Generator {
 public:
  explicit OvertakeGenerator(const WorkloadOptions&) {}

  Invocation next(std::size_t session, Random&) override {
    Part& part = parts_[session];
    if (part.script == nullptr || part.step == part.script->size()) part = take_part();
    const Step step = (*part.script)[part.step++];
    const std::string key = fmt::format("{}{}", step.on_flag ? "flag" : "data", part.round);
    if (step.function == Function::read) return {Function::read, key, {}};
    return {Function::write, key, Value::of(++last_value_)};
  }

  std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (std::size_t round = 0; round <= round_; ++round) {
      names.push_back(fmt::format("flag{}", round));
      names.push_back(fmt::format("data{}", round));
    }
    return names;
  }

 private:
  struct Step {
    Function function;
    bool on_flag;
  };
  using Script = std::vector<Step>;
  /// What a session is doing.
  struct Part {
    std::size_t round = 0;
    const Script* script = nullptr;
    std::size_t step = 0;
  };

  static constexpr Step kSet{Function::write, true}, kPut{Function::write, false};
  static constexpr Step kWatch{Function::read, true}, kGet{Function::read, false};
  static constexpr std::size_t kRivals = 2;  // of each messenger, and they come first

  static const Script& rival() {
    static const Script script = {kPut,   kPut,   kPut,   kWatch, kWatch, kWatch, kWatch,
                                  kWatch, kWatch, kWatch, kGet,   kWatch, kGet,   kWatch,
                                  kGet,   kWatch, kGet,   kWatch, kGet,   kWatch, kGet};
    return script;
  }
  static const Script& messenger() {
    static const Script script = {kSet, kPut, kSet};
    return script;
  }

  /// The next part that nobody plays yet.
  Part take_part() {
    if (taken_ > kRivals) {
      taken_ = 0;
      ++round_;
    }
    return {round_, taken_++ < kRivals ? &rival() : &messenger(), 0};
  }

  std::map<std::size_t, Part> parts_;  // by session
  std::size_t round_ = 0;
  std::size_t taken_ = 0;  // parts of this round
  std::int64_t last_value_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_overtake_generator(const WorkloadOptions& options) {
  return std::make_unique<OvertakeGenerator>(options);
}

}  // namespace consistory
