#pragma once
// Switch: the network between nodes, as a user-space Ethernet switch. Each place has a port, the
// far end of a veth pair, read and written through AF_PACKET; every packet between two places
// passes here and meets the fate of its directed link. Needs no privilege but over its own network
// namespace. Packets come and go with their virtio-net header, so that the kernel's segmentation
// and checksum offloads pass through untouched; that is what makes gigabits possible in user space.

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "nemesis/controls.h"

namespace consistory {

/// Thread-safe. Runs on a thread of its own until destroyed.
class Switch final : public LinkControl {
 public:
  /// `interfaces[p]` is the port of place p, in the network namespace of the calling thread; the
  /// machine behind it has the address mac_of(p).
  static Result<std::unique_ptr<Switch>> start(const std::vector<std::string>& interfaces,
                                               const Random& random);
  ~Switch() override;

  /// "02:00:00:00:00:03": so the switch need not learn who stands where.
  static std::string mac_of(Place place);

  Status cut(Place from, Place to) override;
  Status heal(Place from, Place to) override;
  LinkCounters counters(Place from, Place to) const override;
  bool carries_clients() const override { return true; }
  bool shapes() const override { return true; }
  Status impose(Place from, Place to, const LinkQuality& quality) override;
  Status lift(Place from, Place to, const LinkQuality& quality) override;

  /// Writes every packet that comes from now on to a file that Wireshark opens (pcap).
  Status capture(const std::string& path);

 private:
  class Engine;
  explicit Switch(std::unique_ptr<Engine> engine);

  std::unique_ptr<Engine> engine_;
};

}  // namespace consistory
