#include "harness/disks/undo_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace consistory {
namespace {

std::optional<struct stat> stat_of(int file) {
  struct stat status {};
  return fstat(file, &status) == 0 ? std::optional(status) : std::nullopt;
}

std::string read_at(int file, off_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  const ssize_t count = pread(file, bytes.data(), length, offset);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

}  // namespace

void UndoLog::before_change(int file, off_t offset, std::size_t length) {
  const auto status = stat_of(file);
  if (!status) return;
  write_back_old();
  File& known = files_[{status->st_dev, status->st_ino}];
  if (!known.handle) known.handle = Descriptor(fcntl(file, F_DUPFD_CLOEXEC, 0));
  const off_t left = std::max<off_t>(status->st_size - offset, 0);
  const std::size_t touched = length == 0 ? static_cast<std::size_t>(left)
                                          : std::min(length, static_cast<std::size_t>(left));
  known.changes.push_back({offset, length, status->st_size, read_at(file, offset, touched),
                           monotonic_now(), changes_++});
  bytes_ += touched;
}

void UndoLog::synced(int file) {
  const auto status = stat_of(file);
  if (!status) return;
  const auto found = files_.find({status->st_dev, status->st_ino});
  if (found == files_.end()) return;
  while (!found->second.changes.empty()) forget_first(found->second);
  files_.erase(found);
}

void UndoLog::forget_first(File& file) {
  bytes_ -= file.changes.front().before.size();
  file.changes.pop_front();
}

void UndoLog::write_back_old() {
  const Nanos oldest = monotonic_now() - age_max_;
  for (auto& [id, file] : files_) {
    while (!file.changes.empty() && (file.changes.front().at < oldest || bytes_ > bytes_max_))
      forget_first(file);
  }
  std::erase_if(files_, [](const auto& entry) { return entry.second.changes.empty(); });
}

/// Returns how many bytes of what was written are gone.
std::size_t UndoLog::take_back(const File& file, const Change& change, bool torn) {
  const std::size_t kept = torn ? change.length / 2 : 0;
  if (change.before.size() > kept) {
    (void)!pwrite(*file.handle, change.before.data() + kept, change.before.size() - kept,
                  change.offset + static_cast<off_t>(kept));
  }
  const off_t end = change.offset + static_cast<off_t>(kept);
  (void)!ftruncate(*file.handle, kept > 0 ? std::max(change.size_before, end) : change.size_before);
  return change.length - kept;
}

UndoLog::Loss UndoLog::take_back(bool torn) {
  Loss loss;
  loss.files = files_.size();
  std::uint64_t last = 0;
  for (const auto& [id, file] : files_) last = std::max(last, file.changes.back().number);
  for (auto& [id, file] : files_) {
    while (!file.changes.empty()) {
      const Change& change = file.changes.back();
      loss.bytes += take_back(file, change, torn && change.number == last && change.length > 1);
      ++loss.changes;
      file.changes.pop_back();
    }
  }
  files_.clear();
  bytes_ = 0;
  return loss;
}

}  // namespace consistory
