#pragma once
// The nemesis: runs a schedule of faults on a thread of its own and tells what it did as it goes.
// Faults may overlap; what is done to the world is done one thing at a time.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nemesis/schedule.h"

namespace consistory {

enum class FaultState : std::uint8_t { requested, confirmed, unconfirmed, healed, recovered };
std::string_view name_of(FaultState state);

/// One step in the life of one fault. `number` tells which fault of the run it belongs to.
struct FaultEvent {
  std::size_t number = 0;
  std::string fault;  ///< "partition:halves"
  FaultState state = FaultState::requested;
  std::string what;      ///< "n1 | n2 n3"
  std::string evidence;  ///< confirmed: what proves that it bit
  std::string recovery;  ///< recovered: what proves that the world works again
  std::vector<std::string> targets;
};

class Nemesis {
 public:
  /// `report` is called on the nemesis thread. Controls must outlive this object.
  Nemesis(std::vector<PlannedFault> plan, Controls controls, Random random,
          std::function<void(const FaultEvent&)> report);
  /// Stops and heals, if stop() was not called.
  ~Nemesis();

  /// Starts the schedule; its times count from now.
  void start();
  /// Heals what is injected, ends the thread, and returns the first error of an injection or a heal
  /// (a node that did not come back, say). Idempotent.
  Status stop();
  bool finished() const;

 private:
  /// A fault that was injected and is not yet healed.
  struct Active {
    const FaultKind* kind = nullptr;
    std::unique_ptr<Fault> fault;  ///< none: healed
    FaultEvent event;
    Nanos end = 0;
    Nanos next_beat = 0;
    Nanos looked = 0;  ///< for evidence, of its bite or of recovery
  };

  void run();
  void strike(std::size_t number, const PlannedFault& planned);
  Nanos next_turn() const;
  Nanos when(const PlannedFault& planned) const;
  void attend();
  void look_for_evidence(Active& active);
  void heal(Active& active);
  void heal_all();
  void look_for_recoveries();
  void await_recoveries();
  bool may_strike(const PlannedFault& planned) const;
  bool asked_to_stop_by(Nanos deadline);
  bool failed() const;
  void note(const Status& status);

  std::vector<PlannedFault> plan_;
  Controls controls_;
  Random random_;
  std::function<void(const FaultEvent&)> report_;
  Nanos started_ = 0;
  Nanos late_ = 0;              // what heals took so far
  std::vector<Active> active_;  // the thread's own
  std::vector<Active> healed_;  // of which recovery is not proven yet; `end` is when to give up
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool finished_ = false;
  Status outcome_ = Done{};
  std::thread thread_;
};

}  // namespace consistory
