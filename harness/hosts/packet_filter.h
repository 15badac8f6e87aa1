#pragma once
// Links between hosts, cut where they arrive, by a table of nftables that is ours alone. Part of
// the helper that is uploaded to a host.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace consistory {

/// What came over a link so far.
struct Passage {
  std::uint64_t cut_packets = 0;
  std::uint64_t cut_bytes = 0;
  std::uint64_t passed_packets = 0;
  std::uint64_t passed_bytes = 0;
  std::uint64_t lost_packets = 0;
};

/// Not thread-safe. Nothing of it stays once removed.
class PacketFilter {
 public:
  /// `table` is a name that nobody else has. `spared` is what may never be cut, as nft spells it:
  /// the connection that the controller speaks over.
  PacketFilter(std::string table, std::string spared)
      : table_(std::move(table)), spared_(std::move(spared)) {}

  /// All that those addresses send to this host is a link of that name.
  Status add_sender(const std::string& link, const std::vector<std::string>& addresses);
  /// The same of what one address sends to a port here, and of what it is answered.
  Status add_client(const std::string& link, const std::string& address, unsigned short port);
  Status add_answers(const std::string& link, const std::string& address, unsigned short port);

  Status set_cut(const std::string& link, bool cut);
  /// Of a million packets `lost_of_million` are lost, and what goes beyond `bytes_per_second`; 0:
  /// none, and no limit.
  Status shape(const std::string& link, unsigned lost_of_million, std::uint64_t bytes_per_second);
  /// Of each of those links, in their order.
  Result<std::vector<Passage>> passages(const std::vector<std::string>& links) const;
  void remove();

 private:
  struct Link {
    std::string chain;                 // "arriving" or "leaving"
    std::vector<std::string> matches;  // each a rule's condition
    bool cut = false;
    unsigned lost_of_million = 0;
    std::uint64_t bytes_per_second = 0;
  };
  Result<Link*> find(const std::string& link);
  std::string rules_of(const std::string& name, const Link& link) const;
  Status add(const std::string& link, Link fresh);
  Status apply();

  std::string table_, spared_;
  std::map<std::string, Link> links_;
};

}  // namespace consistory
