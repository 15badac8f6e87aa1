#pragma once
// The links between hosts. Each is cut where it arrives, by the packet filter of that host; those
// to the clients where they leave.

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "harness/hosts/remote_host.h"
#include "nemesis/imposed_quality.h"

namespace consistory {

/// Thread-safe.
class HostLinks final : public LinkControl {
 public:
  /// `hosts[i]` is that of node i+1, has said hello, and outlives this.
  explicit HostLinks(const std::vector<std::unique_ptr<RemoteHost>>& hosts) : hosts_(hosts) {}

  Status cut(Place from, Place to) override;
  Status heal(Place from, Place to) override;
  /// All of a host at once, and no older than a moment; what they were before if the host does not
  /// answer.
  LinkCounters counters(Place from, Place to) const override;
  bool carries_clients() const override { return true; }
  /// Packets can be lost, and links narrow: what a link cannot carry is lost.
  bool shapes() const override { return true; }
  Status impose(Place from, Place to, const LinkQuality& quality) override;
  Status lift(Place from, Place to, const LinkQuality& quality) override;

  /// What the host where it is cut calls the link.
  static std::string name_of(Place from, Place to);

 private:
  RemoteHost& host_of(Place from, Place to) const {
    return *hosts_[(to == kClients ? from : to) - 1];
  }
  Status tell(const std::string& what, Place from, Place to, const std::string& more = {});
  Status shape(Place from, Place to);

  const std::vector<std::unique_ptr<RemoteHost>>& hosts_;
  void look_at(Place host) const;

  std::mutex mutex_;
  std::map<std::pair<Place, Place>, int> cuts_;
  std::map<std::pair<Place, Place>, ImposedQuality> qualities_;
  mutable std::mutex counters_mutex_;
  mutable std::map<std::pair<Place, Place>, LinkCounters> counters_;
  mutable std::map<Place, Nanos> looked_;
};

}  // namespace consistory
