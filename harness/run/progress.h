#pragma once
// Progress on stderr: one status line on a terminal, plain lines elsewhere. Never on stdout, which
// carries the result alone. Used by one thread.

#include <string>

#include "base/clock.h"

namespace consistory {

class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress();

  /// A line of its own, kept.
  void event(const std::string& text);
  /// The current state: replaces itself on a terminal; elsewhere one line every ten seconds.
  void state(const std::string& text);

 private:
  void clear();

  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  Nanos last_ = 0;
};

}  // namespace consistory
