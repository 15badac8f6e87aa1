#pragma once
// The clock of one process, moved while it runs, whatever language it is written in: the clock
// functions that the kernel maps into every process (vdso(7)) are led to code of ours
// (clock_stub.h). The machine's clock is never touched. Children that the process forks later have
// the clock that it has by then; a program that it executes has the machine's.
//
// Not moved: who asks the kernel directly, past the vdso, and the kernel's own timers (a sleep of a
// second lasts a second).

#include <sys/types.h>

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "nemesis/controls.h"

namespace consistory {

/// Nothing if clocks of processes can be moved on this machine; else why not. Tried out once, on a
/// child.
Status can_move_clocks();

/// Every thread stands still for about a millisecond. Calls for one process must not overlap.
/// An environment error if the process may not be traced or is none that we know how to patch; it
/// is then as before.
Status move_clock(pid_t process, const ClockSkew& skew);

/// What the process reads on its own clock, less what the machine's shows: the first thread is made
/// to ask. The error is below a millisecond or two on a busy machine.
Result<ClockReading> read_clock(pid_t process);

}  // namespace consistory
