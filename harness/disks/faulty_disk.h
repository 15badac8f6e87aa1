#pragma once
// FaultyDisk: a file system (FUSE) that passes everything on to a directory, sees every write and
// every fsync, and does to them what it is told to: lose, tear, refuse, delay, lie.

#include <functional>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "nemesis/controls.h"

namespace consistory {

/// Can a file system be mounted here? Else why not, and what to do about it.
Status can_mount_disks();

/// Any thread may call it.
class FaultyDisk {
 public:
  /// Mounts on `mount_point` what is in `backing`; both must exist. `crash` ends the node, of which
  /// it is told the process that writes, at the fsync at which it is to; it is called on a thread
  /// of the file system.
  static Result<std::unique_ptr<FaultyDisk>> mount(const std::string& backing,
                                                   const std::string& mount_point,
                                                   std::function<void(pid_t)> crash);
  /// Unmounts. Who has files open there sees errors from now on.
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  void set_trouble(const DiskTrouble& trouble);
  DiskCounters counters() const;
  /// All that was written so far counts as synced.
  void write_back();
  /// Only while nobody has files open; returns what was lost, in words.
  std::string lose_unsynced(bool torn);
  /// Of some file that is not empty; an environment error if there is none.
  Result<std::string> flip_bit(Random& random);

 private:
  friend struct DiskCallbacks;
  class Impl;
  FaultyDisk(std::unique_ptr<Impl> impl, std::string mount_point);
  std::unique_ptr<Impl> impl_;
  std::string mount_point_;
};

}  // namespace consistory
