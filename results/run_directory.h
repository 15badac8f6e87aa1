#pragma once
// The directory of one run (docs/RESULTS.md). `latest` beside it points at the newest finished run.

#include <string>

#include "base/random.h"
#include "base/result.h"

namespace consistory {

class RunDirectory {
 public:
  /// Makes `<root>/<yyyymmdd-hhmmss-word>` with its sub-folders. An environment error if it cannot.
  static Result<RunDirectory> create(const std::string& root);
  /// A run that is there already.
  static RunDirectory existing(std::string path);

  const std::string& path() const { return path_; }
  std::string id() const;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Points `latest` here; failing to is no reason to fail a run.
  void mark_latest() const;

 private:
  explicit RunDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Replaces `path` by `content` in one step; readers see the old file or the new one.
Status write_file(const std::string& path, const std::string& content);

}  // namespace consistory
