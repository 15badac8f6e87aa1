#pragma once
// PcapFile: packets as a file that Wireshark and tcpdump read (libpcap's classic format, version
// 2.4, Ethernet).

#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace consistory {

/// Not thread-safe. Until it is opened, and once it cannot be written, packets go nowhere.
class PcapFile {
 public:
  Status open(const std::string& path);
  /// `frame` from its Ethernet header on; `time` in nanoseconds of any clock.
  void add(std::span<const char> frame, Nanos time);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace consistory
