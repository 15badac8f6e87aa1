#pragma once
// The node's wall clock: the machine's, moved by what a file says, so that skew can be tested
// without touching any real clock.

#include <chrono>
#include <fstream>
#include <string>
#include <utility>

#include "reference-store/config.h"

namespace refstore {

class WallClock {
 public:
  /// `offset_file` holds the offset in milliseconds and may change at any time; empty: no offset.
  explicit WallClock(std::string offset_file) : offset_file_(std::move(offset_file)) { look(); }

  /// Reads the file again; one that is missing or holds no number leaves the offset as it is.
  void look() {
    if (offset_file_.empty()) return;
    Millis offset = 0;
    if (std::ifstream(offset_file_) >> offset) offset_ = offset;
  }

  Millis offset() const { return offset_; }
  Millis now() const {
    return offset_ + std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  }

 private:
  std::string offset_file_;
  Millis offset_ = 0;
};

}  // namespace refstore
