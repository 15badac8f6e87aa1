#pragma once
// Ctrl-C and its kin. The first signal asks the run to stop, heal, save and report; the second to
// save only; the third ends the program at once (children die with it).

namespace consistory {

/// Takes over SIGINT, SIGTERM and SIGHUP, and ignores SIGPIPE. Call once, at start.
void install_interrupt_handlers();
/// How many of them came.
int interrupts();
/// 130 for SIGINT, 143 for SIGTERM and SIGHUP; meaningful once interrupts() > 0.
int interrupt_exit_code();

}  // namespace consistory
