#include "harness/run/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace consistory {
namespace {

std::atomic<int> count = 0;
std::atomic<int> limit = 3;
std::atomic<int> last_signal = SIGINT;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch nothing else");

extern "C" void on_signal(int number) {
  last_signal = number;
  if (++count >= limit) _exit(interrupt_exit_code());
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void set_cleanup_pending(bool pending) { limit = pending ? 3 : count + 2; }

int interrupts() { return count; }
int interrupt_exit_code() { return last_signal == SIGINT ? 130 : 143; }

}  // namespace consistory
