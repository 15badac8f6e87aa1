#pragma once
// The code that a node runs in place of the kernel's clock functions once its clock is moved: a
// real system call, and then what the slots say. Position-independent; copied as bytes into the
// node's vdso and never run in this process. x86-64 only.

#include <cstddef>
#include <cstdint>
#include <span>

namespace consistory {

/// One clock: it reads t + offset + (t - base) * rate / 2^20, all in nanoseconds. Base is the
/// moment from which it drifts.
struct ClockSlot {
  std::int64_t offset = 0;
  std::int64_t base = 0;
  std::int64_t rate = 0;
};
constexpr double kClockRateUnit = 1 << 20;

struct ClockSlots {
  ClockSlot wall;
  ClockSlot monotonic;
};

/// The bytes, and where in them things stand. Empty on other machines than x86-64.
struct ClockStub {
  std::span<const std::byte> bytes;
  std::size_t slots = 0;
  std::size_t clock_gettime = 0;
  std::size_t gettimeofday = 0;
  std::size_t time = 0;
  std::size_t trap = 0;  ///< an int3, for a call that is to come back to a debugger
};
ClockStub clock_stub();

}  // namespace consistory
