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

bool UndoLog::before_change(int file, off_t offset, std::size_t length) {
  const auto status = stat_of(file);
  if (!status) return true;
  write_back_old();
  const off_t left = std::max<off_t>(status->st_size - offset, 0);
  const std::size_t touched = length == 0 ? static_cast<std::size_t>(left)
                                          : std::min(length, static_cast<std::size_t>(left));
  if (touched > bytes_max_) {  // more than the kernel would hold back
    synced(file);
    return true;
  }
  File& known = files_[{status->st_dev, status->st_ino}];
  if (!known.handle) known.handle = Descriptor(fcntl(file, F_DUPFD_CLOEXEC, 0));
  if (!known.handle) {
    files_.erase({status->st_dev, status->st_ino});
    return false;
  }
  known.changes.push_back({offset, length, status->st_size, read_at(file, offset, touched),
                           monotonic_now(), changes_++});
  bytes_ += touched;
  return true;
}

void UndoLog::synced(int file, std::uint64_t until) {
  const auto status = stat_of(file);
  if (!status) return;
  const auto found = files_.find({status->st_dev, status->st_ino});
  if (found == files_.end()) return;
  std::deque<Change>& changes = found->second.changes;
  while (!changes.empty() && changes.front().number < until) forget_first(found->second);
  if (changes.empty()) files_.erase(found);
}

void UndoLog::forget_first(File& file) {
  bytes_ -= file.changes.front().before.size();
  file.changes.pop_front();
}

/// Of all files the oldest first, as the kernel does.
void UndoLog::write_back_old() {
  const Nanos oldest = monotonic_now() - age_max_;
  while (!files_.empty()) {
    const auto first =
        std::min_element(files_.begin(), files_.end(), [](const auto& a, const auto& b) {
          return a.second.changes.front().number < b.second.changes.front().number;
        });
    const bool is_due = first->second.changes.front().at < oldest || bytes_ > bytes_max_;
    if (!is_due) return;
    forget_first(first->second);
    if (first->second.changes.empty()) files_.erase(first);
  }
}

UndoLog::Loss UndoLog::take_back(bool torn) {
  write_back_old();
  Loss loss;
  loss.files = files_.size();
  const File* torn_file = nullptr;
  Change last{};
  for (const auto& [id, file] : files_) {
    const Change& newest = file.changes.back();
    if (torn_file != nullptr && newest.number < last.number) continue;
    torn_file = &file;
    last = newest;
  }
  const bool tears = torn && torn_file != nullptr && last.length > 1;
  const std::string half =
      tears ? read_at(*torn_file->handle, last.offset, last.length / 2) : std::string();
  for (auto& [id, file] : files_) {
    for (; !file.changes.empty(); file.changes.pop_back()) {
      const Change& change = file.changes.back();
      (void)!pwrite(*file.handle, change.before.data(), change.before.size(), change.offset);
      (void)!ftruncate(*file.handle, change.size_before);
      loss.bytes += change.length;
      ++loss.changes;
    }
  }
  if (tears) {
    loss.torn = pwrite(*torn_file->handle, half.data(), half.size(), last.offset) > 0;
    loss.bytes -= half.size();
  }
  files_.clear();
  bytes_ = 0;
  return loss;
}

}  // namespace consistory
