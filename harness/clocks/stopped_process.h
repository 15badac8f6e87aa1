#pragma once
// StoppedProcess: a process whose threads all stand still while this object lives (ptrace(2),
// PTRACE_SEIZE), so that its memory can be changed safely. The threads notice nothing but that time
// went by.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace consistory {

/// Made, used and destroyed on one thread. While it lives, nobody else may wait for the process:
/// they would be told of stops that are meant for this object.
class StoppedProcess {
 public:
  /// An environment error if the process is gone or may not be traced.
  static Result<StoppedProcess> stop(pid_t pid);

  StoppedProcess(StoppedProcess&&) noexcept = default;
  StoppedProcess& operator=(StoppedProcess&&) = delete;
  ~StoppedProcess();

  bool read(std::uint64_t address, std::span<std::byte> into) const;
  /// Into any mapping, whatever its protection.
  bool write(std::uint64_t address, std::span<const std::byte> bytes) const;
  /// Does some thread's next instruction lie in [begin, end)?
  bool runs_in(std::uint64_t begin, std::uint64_t end) const;

  /// Lets the first thread call function(first, second) on its own stack, where `second` points to
  /// `result`, and come back by `trap`, the address of an int3. False if it did not come back.
  bool call(std::uint64_t function, std::uint64_t first, std::uint64_t trap,
            std::span<std::byte> result);

 private:
  StoppedProcess(pid_t pid, Descriptor memory) : pid_(pid), memory_(std::move(memory)) {}
  bool seize_new_threads(bool& found);

  pid_t pid_;
  Descriptor memory_;
  struct Thread {
    pid_t id;
    int signal;  ///< that was on its way to it when it stopped, and is handed on at the end
  };
  std::vector<Thread> threads_;
};

}  // namespace consistory
