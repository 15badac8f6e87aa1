#pragma once
// HttpLoop: many HTTP exchanges at once on one thread (libcurl multi). It never sends a request
// twice: libcurl would quietly repeat one whose reused connection broke before an answer came, and
// a repeated write is a duplicate; here such an exchange ends with `unsent = false`.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace consistory {

struct HttpRequest {
  std::string url;
  std::string body;  ///< POSTed as JSON; empty: GET
  Nanos timeout = kSecond;
  std::string method = {};  ///< another than these
};

struct HttpAnswer {
  long status = 0;  ///< 0: no answer
  std::string body;
  bool unsent = false;  ///< provably nothing was sent (connection refused)
  std::string error;    ///< why there is no answer
};

/// Owned by one thread.
class HttpLoop {
 public:
  /// `slots` exchanges can be under way at the same time; each slot keeps its connections.
  explicit HttpLoop(std::size_t slots);
  ~HttpLoop();

  void start(std::size_t slot, HttpRequest request);

  struct Finished {
    std::size_t slot;
    HttpAnswer answer;
  };
  /// Waits up to `span` for something to finish; returns all that did.
  std::vector<Finished> poll(Nanos span);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// One exchange on its own.
HttpAnswer http_exchange(const HttpRequest& request);

}  // namespace consistory
