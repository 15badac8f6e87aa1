#include "base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace consistory {

void check_failed(const char* expression, const char* file, int line, std::string_view message) {
  const std::string text(message);
  std::fprintf(stderr, "consistory: internal error at %s:%d: %s does not hold: %s\n", file, line,
               expression, text.c_str());
  std::abort();
}

}  // namespace consistory
