#include <fmt/format.h>

#include <charconv>

#include "harness/cluster/ground.h"

namespace consistory {
namespace {

/// Nobody asks for faults there: the plan has none.
class NoLinks final : public LinkControl {
 public:
  Status cut(Place, Place) override { return Done{}; }
  Status heal(Place, Place) override { return Done{}; }
  LinkCounters counters(Place, Place) const override { return {}; }
  bool carries_clients() const override { return false; }
};

class AttachedGround final : public Ground {
 public:
  explicit AttachedGround(std::vector<Endpoint> nodes) : nodes_(std::move(nodes)) {}

  std::string_view name() const override { return "attached"; }
  LinkControl& links() override { return links_; }
  Endpoint own(Place node) const override { return nodes_[node - 1]; }
  Endpoint reach(Place, Place to) const override { return own(to); }
  Status capture(const std::string&) override {
    return usage_error("--pcap: the packets of nodes that run elsewhere are not seen");
  }

 private:
  std::vector<Endpoint> nodes_;
  NoLinks links_;
};

}  // namespace

std::unique_ptr<Ground> make_attached_ground(std::vector<Endpoint> nodes) {
  return std::make_unique<AttachedGround>(std::move(nodes));
}

Result<Endpoint> Endpoint::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  if (colon != std::string::npos && colon > 0) {
    endpoint.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
    if (status == std::errc{} && stop == end && endpoint.port > 0) return endpoint;
  }
  return usage_error(fmt::format("--endpoint must be host:port, not \"{}\"", text));
}

bool Endpoint::is_loopback() const {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace consistory
