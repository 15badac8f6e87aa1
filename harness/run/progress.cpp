#include "harness/run/progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/escape.h"

namespace consistory {
namespace {

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(is_terminal()), last_(monotonic_now()) {}
Progress::~Progress() { clear(); }

void Progress::clear() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

void Progress::event(const std::string& text) {
  if (quiet_) return;
  clear();
  std::fprintf(stderr, "%s\n", escape_terminal(text).c_str());
}

void Progress::state(const std::string& text) {
  const Nanos now = monotonic_now();
  if (quiet_ || now - last_ < (terminal_ ? kSecond / 4 : 10 * kSecond)) return;
  last_ = now;
  if (!terminal_) return event(text);
  std::fprintf(stderr, "\r\x1b[K%s", shorten(escape_terminal(text), 79).c_str());
  shown_ = true;
}

}  // namespace consistory
