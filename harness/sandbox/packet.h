#pragma once
// Packet: one Ethernet frame as AF_PACKET hands it over, behind a virtio-net header that tells what
// the kernel has left to others: a checksum to fill in, a large segment to cut up.

#include <cstddef>
#include <cstdint>
#include <span>

namespace consistory {

/// A view; `bytes` begin with the virtio-net header and are changed in place.
class Packet {
 public:
  static constexpr std::size_t kHeader = 10;

  explicit Packet(std::span<char> bytes) : bytes_(bytes) {}

  bool is_whole() const;
  std::span<char> frame() const { return bytes_.subspan(kHeader); }
  bool is_for_all() const { return (frame()[0] & 1) != 0; }
  /// The last byte of the receiver's address.
  std::size_t receiver() const { return static_cast<unsigned char>(frame()[5]); }
  bool is_ip() const;

  /// Flips a bit of what IP carries, modulo its number of bits. Silently: whoever receives it takes
  /// the checksum as not yet filled in and sees nothing. Otherwise the checksum is the sender's and
  /// tells. False if the packet is better thrown away, as its receiver would: a segment yet to be
  /// cut up has no checksum of its own.
  bool damage(std::uint64_t bit, bool silently) const;

 private:
  void fill_in_checksum() const;

  std::span<char> bytes_;
};

}  // namespace consistory
