#pragma once
// UndoLog: what files held before the writes that were not synced yet, so that a power cut can take
// these back. The worst case of what POSIX allows: nothing that was not synced survives, unless it
// is older than the kernel would keep it in memory. Names are not in it: creating, renaming and
// removing files counts as durable at once.

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/descriptor.h"

namespace consistory {

/// Not thread-safe.
class UndoLog {
 public:
  /// What was written longer ago than `age_max` counts as written back by the kernel, as does the
  /// oldest where more than `bytes_max` bytes would have to be remembered.
  explicit UndoLog(Nanos age_max = 30 * kSecond, std::uint64_t bytes_max = 64 << 20)
      : age_max_(age_max), bytes_max_(bytes_max) {}

  /// Before `length` bytes are written at `offset` of the file that `file` has open for reading and
  /// writing; or, with `length` 0, before it is cut off or made longer there.
  /// False if there is no descriptor left to remember the file by.
  bool before_change(int file, off_t offset, std::size_t length);
  /// The file was synced: what was written to it before `until` (a number of changes) stays.
  void synced(int file, std::uint64_t until = UINT64_MAX);
  /// How many changes there were so far.
  std::uint64_t changes() const { return changes_; }

  struct Loss {
    std::size_t changes = 0;
    std::size_t files = 0;
    std::uint64_t bytes = 0;
    bool torn = false;  ///< half of a write is there
  };
  /// Takes back all that was not synced; with `torn`, the first half of the last write stays.
  Loss take_back(bool torn);

  bool empty() const { return files_.empty(); }

 private:
  using FileId = std::pair<dev_t, ino_t>;
  struct Change {
    off_t offset;
    std::size_t length;  // that was written
    off_t size_before;   // of the file
    std::string before;  // what stood from `offset` on, as far as it was changed
    Nanos at;
    std::uint64_t number;  // over all files
  };
  struct File {
    Descriptor handle;
    std::deque<Change> changes;
  };

  void write_back_old();
  void forget_first(File& file);

  Nanos age_max_;
  std::uint64_t bytes_max_;
  std::map<FileId, File> files_;
  std::uint64_t bytes_ = 0;  // remembered
  std::uint64_t changes_ = 0;
};

}  // namespace consistory
