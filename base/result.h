#pragma once
// Result<T>: a value, or an Error that says what was expected, what came and what to do.
// For expected failures of our own (files, processes, input); broken invariants use check.h.

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace consistory {

/// Which exit code a failure belongs to (docs/RESULTS.md).
enum class ErrorKind { usage, environment, store, internal };

struct Error {
  ErrorKind kind = ErrorKind::usage;
  std::string message;
};

inline Error usage_error(std::string message) { return {ErrorKind::usage, std::move(message)}; }
inline Error environment_error(std::string message) {
  return {ErrorKind::environment, std::move(message)};
}
inline Error store_error(std::string message) { return {ErrorKind::store, std::move(message)}; }

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& value() & { return checked(); }
  T&& value() && { return std::move(checked()); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T* operator->() { return &checked(); }
  T& operator*() { return checked(); }
  const T* operator->() const { return &value(); }
  const T& operator*() const { return value(); }
  const Error& error() const {
    CONSISTORY_CHECK(std::holds_alternative<Error>(state_), "error() of a successful Result");
    return std::get<Error>(state_);
  }

 private:
  T& checked() {
    CONSISTORY_CHECK(std::holds_alternative<T>(state_), std::get<Error>(state_).message);
    return std::get<T>(state_);
  }
  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace consistory
