#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <sstream>
#include <stop_token>
#include <thread>

#include "harness/cluster/ground.h"
#include "harness/hosts/host_links.h"
#include "harness/hosts/remote_host.h"

namespace consistory {
namespace {

constexpr Nanos kBeat = kSecond;

class HostsGround final : public Ground {
 public:
  HostsGround(HostsPlan plan, std::vector<std::unique_ptr<RemoteHost>> hosts)
      : plan_(std::move(plan)), hosts_(std::move(hosts)), links_(hosts_) {
    beat_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pause_for(kBeat);
        for (const auto& host : hosts_) host->keep_alive();
      }
    });
  }

  std::string_view name() const override { return "ssh"; }
  LinkControl& links() override { return links_; }
  Endpoint own(Place node) const override { return plan_.endpoints[node - 1]; }
  Endpoint reach(Place, Place to) const override { return own(to); }
  RemoteHost* host(Place node) override { return hosts_[node - 1].get(); }
  Status capture(const std::string&) override {
    return usage_error("--pcap: the packets of nodes that run elsewhere are not seen");
  }

 private:
  HostsPlan plan_;
  std::vector<std::unique_ptr<RemoteHost>> hosts_;
  HostLinks links_;
  std::jthread beat_;  // last: it uses the hosts
};

/// Returns the host's addresses.
Result<std::vector<std::string>> greet(RemoteHost& host, const Endpoint& endpoint,
                                       const std::string& table, const std::string& restart) {
  const auto answer = host.ask(fmt::format("hello {} {} {}", endpoint.port, table, restart));
  if (!answer) return answer.error();
  std::istringstream words(*answer);
  std::string pid;
  words >> pid;
  std::vector<std::string> addresses;
  for (std::string address; words >> address;) addresses.push_back(address);
  return addresses;
}

/// Those that only this host has: many have one for their containers, and it is always the same.
std::vector<std::string> own_alone(const std::vector<std::vector<std::string>>& addresses,
                                   std::size_t host) {
  std::vector<std::string> own = addresses[host];
  for (std::size_t other = 0; other < addresses.size(); ++other) {
    if (other == host) continue;
    std::erase_if(own, [&](const std::string& address) {
      const auto& others = addresses[other];
      return std::find(others.begin(), others.end(), address) != others.end();
    });
  }
  return own;
}

/// Every host learns where the packets of the others come from.
Status introduce(const std::vector<std::unique_ptr<RemoteHost>>& hosts,
                 const std::vector<std::vector<std::string>>& addresses) {
  for (Place from = 1; from <= hosts.size(); ++from) {
    const std::vector<std::string> own = own_alone(addresses, from - 1);
    if (own.empty())
      return usage_error(
          fmt::format("host {} has no address that is its alone: each node needs a host of its own",
                      hosts[from - 1]->name()));
    for (Place to = 1; to <= hosts.size(); ++to) {
      if (from == to) continue;
      std::string request = "sender " + HostLinks::name_of(from, to);
      for (const std::string& address : own) request += " " + address;
      if (const auto known = hosts[to - 1]->ask(request); !known) return known.error();
    }
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<Ground>> make_hosts_ground(const HostsPlan& plan,
                                                  const std::string& log_directory) {
  // All at once: who waits for the others must not wait for long.
  std::vector<std::future<Result<std::unique_ptr<RemoteHost>>>> logins;
  for (std::size_t i = 0; i < plan.hosts.size(); ++i) {
    logins.push_back(std::async(std::launch::async, [&plan, &log_directory, i] {
      return RemoteHost::connect(plan.hosts[i],
                                 fmt::format("{}/n{}-ssh.log", log_directory, i + 1));
    }));
  }
  std::vector<std::unique_ptr<RemoteHost>> hosts;
  std::vector<std::vector<std::string>> addresses;
  for (std::size_t i = 0; i < logins.size(); ++i) {
    auto host = logins[i].get();
    if (!host) return host.error();
    const auto own = greet(**host, plan.endpoints[i], plan.table, plan.restart);
    if (!own) return own.error();
    addresses.push_back(*own);
    hosts.push_back(std::move(*host));
  }
  if (Status introduced = introduce(hosts, addresses); !introduced) return introduced.error();
  return std::unique_ptr<Ground>(std::make_unique<HostsGround>(plan, std::move(hosts)));
}

}  // namespace consistory
