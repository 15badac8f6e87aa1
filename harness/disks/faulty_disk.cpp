// The only file that knows libfuse. Operations are the plainest that pass on; what is special is in
// write(), sync() and truncate().
#include "harness/disks/faulty_disk.h"

#define FUSE_USE_VERSION 32
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "harness/disks/undo_log.h"

namespace consistory {
namespace {

/// The numbers of a failure as FUSE wants them.
int answer(int outcome) { return outcome < 0 ? -errno : 0; }

}  // namespace

class FaultyDisk::Impl {
 public:
  Impl(std::string backing, std::function<void(pid_t)> crash)
      : backing_(std::move(backing)), crash_(std::move(crash)) {}

  std::string path(const char* name) const { return backing_ + name; }

  int write(int file, const char* bytes, std::size_t length, off_t offset, bool sync_at_once) {
    const std::lock_guard lock(mutex_);
    if (crashed_) return -EIO;
    ++counters_.writes;
    if (strikes(trouble_.failing_write)) {
      ++counters_.failed;
      return -EIO;
    }
    if (!has_room(length)) return -ENOSPC;
    if (!undo_.before_change(file, offset, length)) return -EMFILE;
    const ssize_t count = pwrite(file, bytes, length, offset);
    if (count < 0) return -errno;
    if (sync_at_once && !trouble_.fsyncs_lie) undo_.synced(file);
    return static_cast<int>(count);
  }

  int sync(int file) {
    std::unique_lock lock(mutex_);
    if (crashed_) return -EIO;
    const std::uint64_t until = undo_.changes();  // what comes while it takes its time is not in it
    ++counters_.fsyncs;
    if (strikes(trouble_.crash_at_fsync)) {
      ++counters_.crashes;
      crashed_ = true;
      crash_(fuse_get_context()->pid);
      return -EIO;  // to nobody: the node does not run any more
    }
    if (strikes(trouble_.failing_fsync)) {
      ++counters_.failed;
      return -EIO;
    }
    if (trouble_.fsync_delay > 0) {
      ++counters_.delayed;
      const Nanos delay = trouble_.fsync_delay;
      lock.unlock();
      pause_for(delay);
      lock.lock();
    }
    if (trouble_.fsyncs_lie) ++counters_.lied;
    else undo_.synced(file, until);
    return 0;
  }

  int truncate(const std::string& name, off_t size) {
    const Descriptor file(open(name.c_str(), O_RDWR | O_CLOEXEC));
    if (!file) return -errno;
    const std::lock_guard lock(mutex_);
    if (crashed_) return -EIO;
    struct stat status {};
    if (fstat(*file, &status) != 0) return -errno;
    if (!undo_.before_change(*file, std::min(size, status.st_size), 0)) return -EMFILE;
    return answer(ftruncate(*file, size));
  }

  int allocate(int file, int mode, off_t offset, off_t length) {
    const std::lock_guard lock(mutex_);
    if (!has_room(static_cast<std::size_t>(length))) return -ENOSPC;
    struct stat status {};
    if (fstat(file, &status) != 0) return -errno;
    if (!undo_.before_change(file, mode == 0 ? status.st_size : std::min(offset, status.st_size),
                             0))
      return -EMFILE;
    return answer(fallocate(file, mode, offset, length));
  }

  void set_trouble(const DiskTrouble& trouble) {
    const std::lock_guard lock(mutex_);
    trouble_ = trouble;
  }
  DiskCounters counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
  }
  std::string lose_unsynced(bool torn) {
    const std::lock_guard lock(mutex_);
    const UndoLog::Loss loss = undo_.take_back(torn);
    crashed_ = false;
    return fmt::format("lost {} bytes of {} unsynced writes to {} files{}", loss.bytes,
                       loss.changes, loss.files,
                       loss.torn ? "; half of the last write is there" : "");
  }
  void write_back() {
    const std::lock_guard lock(mutex_);
    undo_ = UndoLog();
  }
  const std::string& backing() const { return backing_; }

  fuse* filesystem = nullptr;
  std::thread loop;

 private:
  /// Counts down to the operation that is struck.
  static bool strikes(std::uint64_t& number) { return number > 0 && --number == 0; }

  bool has_room(std::size_t length) {
    if (trouble_.bytes_left < 0) return true;
    const auto wanted = static_cast<std::int64_t>(length);
    if (wanted > trouble_.bytes_left) {
      ++counters_.refused;
      return false;
    }
    trouble_.bytes_left -= wanted;
    return true;
  }

  std::string backing_;
  std::function<void(pid_t)> crash_;
  mutable std::mutex mutex_;
  DiskTrouble trouble_;
  DiskCounters counters_;
  bool crashed_ = false;  // the power is gone: nothing gets through any more
  UndoLog undo_;
};

// What libfuse calls. It hands our object back as private data.
struct DiskCallbacks {
  using Disk = FaultyDisk::Impl;

  static Disk& disk() { return *static_cast<Disk*>(fuse_get_context()->private_data); }
  static std::string path(const char* name) { return disk().path(name); }
  static int handle(const fuse_file_info* info) { return static_cast<int>(info->fh); }

  /// New files belong to who makes them, not to us.
  static int give_to_caller(const std::string& name) {
    const fuse_context* caller = fuse_get_context();
    if (geteuid() == 0 && (caller->uid != 0 || caller->gid != 0))
      (void)!lchown(name.c_str(), caller->uid, caller->gid);
    return 0;
  }

  static void* init(fuse_conn_info*, fuse_config* config) {
    config->use_ino = 1;
    config->kernel_cache = 0;  // a power cut changes files behind the kernel's back
    config->attr_timeout = 0;
    config->entry_timeout = 0;
    config->negative_timeout = 0;
    return fuse_get_context()->private_data;
  }
  static int getattr(const char* name, struct stat* into, fuse_file_info*) {
    return answer(lstat(path(name).c_str(), into));
  }
  static int readlink(const char* name, char* into, std::size_t size) {
    const ssize_t count = ::readlink(path(name).c_str(), into, size - 1);
    if (count < 0) return -errno;
    into[count] = '\0';
    return 0;
  }
  static int mknod(const char* name, mode_t mode, dev_t device) {
    if (::mknod(path(name).c_str(), mode, device) != 0) return -errno;
    return give_to_caller(path(name));
  }
  static int mkdir(const char* name, mode_t mode) {
    if (::mkdir(path(name).c_str(), mode) != 0) return -errno;
    return give_to_caller(path(name));
  }
  static int unlink(const char* name) { return answer(::unlink(path(name).c_str())); }
  static int rmdir(const char* name) { return answer(::rmdir(path(name).c_str())); }
  static int symlink(const char* target, const char* name) {
    if (::symlink(target, path(name).c_str()) != 0) return -errno;
    return give_to_caller(path(name));
  }
  static int rename(const char* from, const char* to, unsigned flags) {
    return answer(renameat2(AT_FDCWD, path(from).c_str(), AT_FDCWD, path(to).c_str(), flags));
  }
  static int link(const char* from, const char* to) {
    return answer(::link(path(from).c_str(), path(to).c_str()));
  }
  static int chmod(const char* name, mode_t mode, fuse_file_info*) {
    return answer(::chmod(path(name).c_str(), mode));
  }
  static int chown(const char* name, uid_t user, gid_t group, fuse_file_info*) {
    return answer(lchown(path(name).c_str(), user, group));
  }
  static int truncate(const char* name, off_t size, fuse_file_info*) {
    return disk().truncate(path(name), size);
  }
  static int utimens(const char* name, const timespec times[2], fuse_file_info*) {
    return answer(utimensat(AT_FDCWD, path(name).c_str(), times, AT_SYMLINK_NOFOLLOW));
  }
  static int statfs(const char* name, struct statvfs* into) {
    return answer(statvfs(path(name).c_str(), into));
  }
  static int access(const char* name, int mode) {
    return answer(::access(path(name).c_str(), mode));
  }

  /// Always for reading too, since what is overwritten is remembered; the kernel itself sees to
  /// O_APPEND, and keeps who may only write from reading.
  static int flags_of(int flags) {
    return (flags & ~(O_ACCMODE | O_APPEND | O_DIRECT | O_TRUNC)) | O_RDWR | O_CLOEXEC;
  }
  static int open(const char* name, fuse_file_info* info) {
    if ((info->flags & O_TRUNC) != 0) {
      if (const int cut = disk().truncate(path(name), 0); cut != 0) return cut;
    }
    int file = ::open(path(name).c_str(), flags_of(info->flags));
    const bool only_reads = (info->flags & O_ACCMODE) == O_RDONLY;
    if (file < 0 && only_reads) file = ::open(path(name).c_str(), info->flags | O_CLOEXEC);
    if (file < 0) return -errno;
    info->fh = static_cast<std::uint64_t>(file);
    return 0;
  }
  static int create(const char* name, mode_t mode, fuse_file_info* info) {
    const int file = ::open(path(name).c_str(), flags_of(info->flags) | O_CREAT, mode);
    if (file < 0) return -errno;
    info->fh = static_cast<std::uint64_t>(file);
    return give_to_caller(path(name));
  }
  static int read(const char*, char* into, std::size_t size, off_t offset, fuse_file_info* info) {
    const ssize_t count = pread(handle(info), into, size, offset);
    return count < 0 ? -errno : static_cast<int>(count);
  }
  static int write(const char*, const char* bytes, std::size_t size, off_t offset,
                   fuse_file_info* info) {
    return disk().write(handle(info), bytes, size, offset, (info->flags & O_DSYNC) != 0);
  }
  static int fsync(const char*, int, fuse_file_info* info) { return disk().sync(handle(info)); }
  static int fsyncdir(const char*, int, fuse_file_info*) { return 0; }
  static int fallocate(const char*, int mode, off_t offset, off_t length, fuse_file_info* info) {
    return disk().allocate(handle(info), mode, offset, length);
  }
  static int release(const char*, fuse_file_info* info) { return answer(close(handle(info))); }
  static int readdir(const char* name, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                     fuse_readdir_flags) {
    DIR* directory = opendir(path(name).c_str());
    if (directory == nullptr) return -errno;
    while (const dirent* entry = ::readdir(directory)) {
      struct stat status {};
      status.st_ino = entry->d_ino;
      status.st_mode = static_cast<mode_t>(entry->d_type) << 12;
      if (fill(buffer, entry->d_name, &status, 0, {}) != 0) break;
    }
    closedir(directory);
    return 0;
  }

  static fuse_operations table() {
    fuse_operations table{};
    table.init = init;
    table.getattr = getattr;
    table.readlink = readlink;
    table.mknod = mknod;
    table.mkdir = mkdir;
    table.unlink = unlink;
    table.rmdir = rmdir;
    table.symlink = symlink;
    table.rename = rename;
    table.link = link;
    table.chmod = chmod;
    table.chown = chown;
    table.truncate = truncate;
    table.utimens = utimens;
    table.statfs = statfs;
    table.access = access;
    table.open = open;
    table.create = create;
    table.read = read;
    table.write = write;
    table.fsync = fsync;
    table.fsyncdir = fsyncdir;
    table.fallocate = fallocate;
    table.release = release;
    table.readdir = readdir;
    return table;
  }
};

/// Every file that a node has open, and every one that it has not synced, is open here too.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Status can_mount_disks() {
  const Descriptor device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (device) return Done{};
  return environment_error(fmt::format(
      "disks cannot be broken here: /dev/fuse cannot be opened: {} ({})", std::strerror(errno),
      errno == EACCES ? "as root: chmod 666 /dev/fuse" : "the kernel's fuse module is missing"));
}

FaultyDisk::FaultyDisk(std::unique_ptr<Impl> impl, std::string mount_point)
    : impl_(std::move(impl)), mount_point_(std::move(mount_point)) {}

Result<std::unique_ptr<FaultyDisk>> FaultyDisk::mount(const std::string& backing,
                                                      const std::string& mount_point,
                                                      std::function<void(pid_t)> crash) {
  if (Status can = can_mount_disks(); !can) return can.error();
  allow_many_files();
  auto impl = std::make_unique<Impl>(std::filesystem::absolute(backing).string(), std::move(crash));
  std::array<std::string, 3> words = {"consistory-disk", "-o",
                                      "allow_other,default_permissions,fsname=consistory"};
  std::array<char*, 3> arguments{};
  std::transform(words.begin(), words.end(), arguments.begin(), [](auto& w) { return w.data(); });
  fuse_args given = FUSE_ARGS_INIT(static_cast<int>(arguments.size()), arguments.data());
  const fuse_operations table = DiskCallbacks::table();
  impl->filesystem = fuse_new(&given, &table, sizeof table, impl.get());
  fuse_opt_free_args(&given);
  if (impl->filesystem == nullptr)
    return environment_error("the disk of a node cannot be made: libfuse refuses");
  if (fuse_mount(impl->filesystem, mount_point.c_str()) != 0) {
    fuse_destroy(impl->filesystem);
    return environment_error("the disk of a node cannot be mounted on " + mount_point);
  }
  impl->loop = std::thread([filesystem = impl->filesystem] {
    fuse_loop_config config{};
    config.max_idle_threads = 4;
    fuse_loop_mt(filesystem, &config);
  });
  return std::unique_ptr<FaultyDisk>(new FaultyDisk(std::move(impl), mount_point));
}

FaultyDisk::~FaultyDisk() {
  // Whoever still has something open there must not keep the file system alive.
  umount2(mount_point_.c_str(), MNT_FORCE);
  fuse_session_exit(fuse_get_session(impl_->filesystem));
  fuse_unmount(impl_->filesystem);
  impl_->loop.join();
  fuse_destroy(impl_->filesystem);
}

void FaultyDisk::set_trouble(const DiskTrouble& trouble) { impl_->set_trouble(trouble); }
DiskCounters FaultyDisk::counters() const { return impl_->counters(); }
void FaultyDisk::write_back() { impl_->write_back(); }
std::string FaultyDisk::lose_unsynced(bool torn) { return impl_->lose_unsynced(torn); }

Result<std::string> FaultyDisk::flip_bit(Random& random) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(impl_->backing(), error)) {
    if (entry.is_regular_file(error) && entry.file_size(error) > 0) files.push_back(entry.path());
  }
  if (files.empty()) return environment_error("no bit to flip: no file of the node holds anything");
  std::sort(files.begin(), files.end());
  const fs::path& file = files[random.below(files.size())];
  const std::uint64_t at = random.below(static_cast<std::size_t>(fs::file_size(file, error)));
  const Descriptor handle(open(file.c_str(), O_RDWR | O_CLOEXEC));
  char byte = 0;
  if (!handle || pread(*handle, &byte, 1, static_cast<off_t>(at)) != 1)
    return environment_error(
        fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
  const auto bit = static_cast<unsigned>(random.below(8));
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
  if (pwrite(*handle, &byte, 1, static_cast<off_t>(at)) != 1)
    return environment_error(
        fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
  return fmt::format("bit {} of byte {} of {} flipped", bit, at,
                     fs::relative(file, impl_->backing(), error).string());
}

}  // namespace consistory
