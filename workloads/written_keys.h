#pragma once
// WrittenKeys: the keys of a workload that uses a fixed number of them, and which of them were
// updated.

#include <fmt/format.h>

#include <string>
#include <vector>

namespace consistory {

class WrittenKeys {
 public:
  WrittenKeys(char prefix, std::size_t count) : prefix_(prefix), written_(count, false) {}

  std::size_t count() const { return written_.size(); }
  std::string name(std::size_t key) const { return fmt::format("{}{}", prefix_, key); }
  void mark(std::size_t key) { written_[key] = true; }

  /// Of those that were updated.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (std::size_t key = 0; key < written_.size(); ++key) {
      if (written_[key]) names.push_back(name(key));
    }
    return names;
  }

 private:
  char prefix_;
  std::vector<bool> written_;
};

}  // namespace consistory
