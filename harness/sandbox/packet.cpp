#include "harness/sandbox/packet.h"

#include <net/ethernet.h>

#include <algorithm>
#include <cstring>

namespace consistory {
namespace {

/// struct virtio_net_hdr of <linux/virtio_net.h>, which is no C++ (virtio 1.1 §5.1.6).
struct OffloadHeader {
  std::uint8_t flags = 0;
  std::uint8_t segmentation = 0;  // 0: none is left to do
  std::uint16_t header_length = 0, segment_size = 0;
  std::uint16_t checksum_start = 0, checksum_offset = 0;
};
static_assert(sizeof(OffloadHeader) == Packet::kHeader);
constexpr std::uint8_t kNeedsChecksum = 1;

constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kTransportHeader = 8;  // the least: UDP's

OffloadHeader header_of(std::span<const char> bytes) {
  OffloadHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

/// The Internet checksum (RFC 1071), of bytes in network order.
std::uint16_t checksum(std::span<const char> bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    sum += i % 2 == 0 ? std::uint64_t{byte} << 8 : std::uint64_t{byte};
  }
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

bool Packet::is_whole() const { return bytes_.size() >= kHeader + sizeof(ether_header); }

bool Packet::is_ip() const {
  return static_cast<unsigned char>(frame()[12]) == 0x08 && frame()[13] == 0x00;
}

bool Packet::damage(std::uint64_t bit, bool silently) const {
  constexpr std::size_t kHeaders = sizeof(ether_header) + kIpHeader + kTransportHeader;
  if (!is_ip() || frame().size() <= kHeaders) return true;
  const bool segmented = header_of(bytes_).segmentation != 0;
  if (segmented && !silently) return false;
  if (!silently) fill_in_checksum();
  const std::size_t payload = frame().size() - kHeaders;
  frame()[kHeaders + bit / 8 % payload] ^= static_cast<char>(1 << bit % 8);
  return true;
}

void Packet::fill_in_checksum() const {
  OffloadHeader header = header_of(bytes_);
  if ((header.flags & kNeedsChecksum) == 0) return;
  const std::size_t start = header.checksum_start, place = start + header.checksum_offset;
  if (place + 2 > frame().size()) return;
  // The place holds the sum of the pseudo header, which so comes in.
  const std::uint16_t sum = checksum(frame().subspan(start));
  frame()[place] = static_cast<char>(sum >> 8);
  frame()[place + 1] = static_cast<char>(sum & 0xFF);
  header.flags = 0;
  std::memcpy(bytes_.data(), &header, sizeof header);
}

}  // namespace consistory
