#include "base/clock.h"

#include <ctime>

namespace consistory {

Nanos monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Nanos>(now.tv_sec) * kSecond + now.tv_nsec;
}

void pause_for(Nanos span) {
  timespec wait{span / kSecond, span % kSecond};
  nanosleep(&wait, nullptr);
}

std::string calendar_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return text;
}

}  // namespace consistory
