#pragma once
// Invariants that stay on in release builds: a broken one is our bug, so the process says where
// and aborts rather than going on with a wrong verdict. Expected failures use Result instead.

#include <string_view>

namespace consistory {

[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               std::string_view message);

}  // namespace consistory

#define CONSISTORY_CHECK(condition, message)                                               \
  do {                                                                                     \
    if (!(condition)) ::consistory::check_failed(#condition, __FILE__, __LINE__, message); \
  } while (false)
