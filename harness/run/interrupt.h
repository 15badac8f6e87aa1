#pragma once
// Ctrl-C and its kin. The first signal asks the run to stop, heal, save and report; the second to
// save only; the third ends the program at once (children die with it).

namespace consistory {

/// Takes over SIGINT, SIGTERM and SIGHUP, and ignores SIGPIPE. Call before a run; commands that
/// start nothing keep the default, to end at once.
void install_interrupt_handlers();
/// Is there something to heal and to save? If not, the second signal from here on ends the program.
void set_cleanup_pending(bool pending);
/// How many of them came.
int interrupts();
/// 130 for SIGINT, 143 for SIGTERM and SIGHUP; meaningful once interrupts() > 0.
int interrupt_exit_code();

}  // namespace consistory
