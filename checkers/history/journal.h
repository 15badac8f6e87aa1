#pragma once
// Journal: writes history.jsonl as the run goes. What flush() has returned for is in the kernel, so
// the death of the controller loses nothing acknowledged; at most the last line is torn.
// One thread at a time.

#include <cstdio>
#include <memory>
#include <string>

#include "base/result.h"
#include "checkers/history/event.h"

namespace consistory {

struct HistoryHeader {
  std::vector<std::string> nodes;
  std::vector<std::string> promised;  ///< models whose violation fails the run
  std::string store;                  ///< its name and configuration, for people
  std::uint64_t seed = 0;
};

class Journal {
 public:
  /// Creates or truncates `path` and writes the header.
  static Result<Journal> create(const std::string& path, const HistoryHeader& header);

  /// Buffers one line; the line's index is its order.
  void record(const ClientEvent& event);
  void record(const Mark& mark);
  /// Hands everything recorded to the kernel. An error means that the run must stop.
  Status flush();

  std::uint64_t events() const { return next_index_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit Journal(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}

  std::unique_ptr<std::FILE, Closer> file_;
  std::string path_;
  std::string buffer_;
  std::uint64_t next_index_ = 0;
};

}  // namespace consistory
