#pragma once
// Problem: the first error of a chain of checks, which goes on so that the code reads like a list.

#include <optional>
#include <string>

#include "base/duration.h"
#include "base/result.h"

namespace consistory {

class Problem {
 public:
  template <class T>
  void take(const Result<T>& result) {
    if (!result && !error_) error_ = result.error();
  }
  void unless(bool fine, std::string message) {
    if (!fine && !error_) error_ = usage_error(std::move(message));
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

/// What `flag` says; 0 if it is empty.
inline Nanos duration_of(const std::string& text, std::string_view flag, Problem& problem) {
  if (text.empty()) return 0;
  const Result<Nanos> span = parse_duration(text);
  if (span) return *span;
  problem.unless(false, std::string(flag) + ": " + span.error().message);
  return 0;
}

}  // namespace consistory
