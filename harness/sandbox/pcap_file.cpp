#include "harness/sandbox/pcap_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace consistory {
namespace {

constexpr std::uint32_t kNanosecondMagic = 0xA1B23C4D;
constexpr std::uint32_t kEthernet = 1;
constexpr std::uint32_t kLengthMax = 262'144;

struct FileHeader {
  std::uint32_t magic = kNanosecondMagic;
  std::uint16_t major = 2, minor = 4;
  std::int32_t zone = 0;
  std::uint32_t accuracy = 0;
  std::uint32_t length_max = kLengthMax;
  std::uint32_t link_type = kEthernet;
};

struct RecordHeader {
  std::uint32_t seconds = 0, nanoseconds = 0;
  std::uint32_t kept = 0, length = 0;
};

}  // namespace

Status PcapFile::open(const std::string& path) {
  file_.reset(std::fopen(path.c_str(), "wbe"));
  const FileHeader header;
  if (file_ && std::fwrite(&header, sizeof header, 1, file_.get()) == 1) return Done{};
  file_.reset();
  return environment_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

void PcapFile::add(std::span<const char> frame, Nanos time) {
  if (!file_) return;
  const auto length = static_cast<std::uint32_t>(frame.size());
  const RecordHeader header{static_cast<std::uint32_t>(time / kSecond),
                            static_cast<std::uint32_t>(time % kSecond), length, length};
  const bool written = std::fwrite(&header, sizeof header, 1, file_.get()) == 1 &&
                       std::fwrite(frame.data(), 1, frame.size(), file_.get()) == frame.size();
  if (!written) file_.reset();
}

}  // namespace consistory
