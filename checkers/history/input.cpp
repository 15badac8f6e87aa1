#include "checkers/history/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace consistory {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~FileSource() override {
    if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::size_t size_hint() const override {
    struct stat about {};
    const bool is_file = fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode);
    return is_file ? static_cast<std::size_t>(about.st_size) : 0;
  }

  Result<std::size_t> read(char* into, std::size_t size) override {
    for (;;) {
      const ssize_t got = ::read(descriptor_, into, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      return usage_error(fmt::format("cannot read {}: {}", path_, std::strerror(errno)));
    }
  }

 private:
  int descriptor_;
  std::string path_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view content) : rest_(content) {}

  Result<std::size_t> read(char* into, std::size_t size) override {
    const std::size_t now = std::min(size, rest_.size());
    std::copy_n(rest_.data(), now, into);
    rest_.remove_prefix(now);
    return now;
  }

 private:
  std::string_view rest_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_input(const std::string& path) {
  if (path == "-") return std::unique_ptr<ByteSource>(new FileSource(STDIN_FILENO, path));
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return usage_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return std::unique_ptr<ByteSource>(new FileSource(descriptor, path));
}

std::unique_ptr<ByteSource> memory_input(std::string_view content) {
  return std::make_unique<MemorySource>(content);
}

Result<std::string> read_input(const std::string& path) {
  Result<std::unique_ptr<ByteSource>> source = open_input(path);
  if (!source) return source.error();
  constexpr std::size_t kPiece = 1U << 20;
  std::string content;
  content.reserve((*source)->size_hint() + kPiece);
  for (;;) {
    const std::size_t before = content.size();
    content.resize(before + kPiece);
    const Result<std::size_t> got = (*source)->read(content.data() + before, kPiece);
    if (!got) return got.error();
    content.resize(before + *got);
    if (*got == 0) return content;
  }
}

}  // namespace consistory
