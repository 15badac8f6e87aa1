#include "reference-store/durable_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace refstore {
namespace {

constexpr std::size_t kHeaderBytes = 12;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

void write_all(int file, std::string_view bytes, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(what);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int file) {
  std::string content;
  char chunk[1 << 16];
  ::lseek(file, 0, SEEK_SET);
  for (ssize_t got; (got = ::read(file, chunk, sizeof chunk)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read the log");
    content.append(chunk, static_cast<std::size_t>(got));
  }
  return content;
}

std::string framed(std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint64_t checksum = XXH3_64bits(payload.data(), payload.size());
  std::string frame(reinterpret_cast<const char*>(&length), sizeof length);
  frame.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  frame.append(payload);
  return frame;
}

/// A rename is durable once its folder is.
void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0 || ::fsync(file) != 0) fail("cannot sync " + folder);
  ::close(file);
}

}  // namespace

DurableLog::DurableLog(const std::string& path, Options options) : path_(path), options_(options) {
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0644);
  if (file_ < 0) fail("cannot open " + path);
}

DurableLog::~DurableLog() { ::close(file_); }

std::size_t DurableLog::replay(const std::function<void(std::string_view)>& visit) {
  const std::string content = read_all(file_);
  std::size_t at = 0;
  while (content.size() - at >= kHeaderBytes) {
    std::uint32_t length = 0;
    std::uint64_t checksum = 0;
    std::memcpy(&length, content.data() + at, sizeof length);
    std::memcpy(&checksum, content.data() + at + sizeof length, sizeof checksum);
    if (length > content.size() - at - kHeaderBytes) break;
    const std::string_view payload(content.data() + at + kHeaderBytes, length);
    if (XXH3_64bits(payload.data(), payload.size()) != checksum) break;
    visit(payload);
    at += kHeaderBytes + length;
  }
  if (at < content.size() && ::ftruncate(file_, static_cast<off_t>(at)) != 0)
    fail("cannot cut the log");
  return content.size() - at;
}

void DurableLog::append(std::string_view payload) {
  pending_ += framed(payload);
  dirty_ = true;
  if (deferred() && !options_.volatile_disk) write_out();  // into the page cache
}

/// The new file is whole and durable before it takes the old one's place.
void DurableLog::replace(const std::vector<std::string>& payloads) {
  pending_.clear();
  for (const std::string& payload : payloads) pending_ += framed(payload);
  dirty_ = true;
  if (options_.fsync == Fsync::never && options_.volatile_disk) return;
  const std::string fresh = path_ + ".new";
  const int file = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0644);
  if (file < 0) fail("cannot create " + fresh);
  ::close(file_);
  file_ = file;
  write_out();
  if (::fdatasync(file_) != 0) fail("cannot sync " + fresh);
  if (::rename(fresh.c_str(), path_.c_str()) != 0) fail("cannot rename " + fresh);
  sync_folder_of(path_);
  dirty_ = false;
}

void DurableLog::write_out() {
  write_all(file_, pending_, "cannot write the log");
  pending_.clear();
}

void DurableLog::sync() {
  dirty_ = false;
  if (options_.fsync == Fsync::never) {
    if (!options_.volatile_disk) write_out();
    return;
  }
  write_out();
  if (::fdatasync(file_) != 0) fail("cannot sync the log");
}

void DurableLog::close_orderly() {
  write_out();
  if (::fdatasync(file_) != 0) fail("cannot sync the log");
  dirty_ = false;
}

std::uint64_t next_incarnation(const std::string& path) {
  std::uint64_t number = 0;
  std::ifstream(path) >> number;
  ++number;
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail("cannot create " + fresh);
  write_all(file, fmt::format("{}\n", number), "cannot write " + fresh);
  if (::fsync(file) != 0) fail("cannot sync " + fresh);
  ::close(file);
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail("cannot rename " + fresh);
  sync_folder_of(path);
  return number;
}

}  // namespace refstore
