#include "harness/hosts/packet_filter.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <array>

#include <sstream>

#include "harness/processes/tool.h"

namespace consistory {
namespace {

Result<std::string> nft(const std::string& commands) {
  return run_tool({"nft", "nftables", {"-f", "-"}}, commands);
}

/// What another host says is not trusted: anything else could be more than an address to nft.
bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// "ip" or "ip6", by how the address is written.
std::string family_of(const std::string& address) {
  return address.find(':') == std::string::npos ? "ip" : "ip6";
}

/// The two numbers of "packets 3 bytes 180", after the counter's name.
std::pair<std::uint64_t, std::uint64_t> counter_in(const std::string& listing,
                                                   const std::string& name) {
  const std::size_t begin = listing.find("counter " + name + " {");
  if (begin == std::string::npos) return {0, 0};
  const std::size_t numbers = listing.find("packets ", begin);
  if (numbers == std::string::npos) return {0, 0};
  std::istringstream words(listing.substr(numbers));
  std::string packets, bytes;
  std::pair<std::uint64_t, std::uint64_t> counted;
  words >> packets >> counted.first >> bytes >> counted.second;
  return counted;
}

}  // namespace

Status PacketFilter::add_sender(const std::string& link,
                                const std::vector<std::string>& addresses) {
  Link fresh{"arriving", {}};
  for (const std::string& address : addresses) {
    if (!is_address(address)) return usage_error(fmt::format("\"{}\" is no address", address));
    fresh.matches.push_back(fmt::format("{} saddr {}", family_of(address), address));
  }
  return add(link, std::move(fresh));
}

Status PacketFilter::add_client(const std::string& link, const std::string& address,
                                unsigned short port) {
  return add(link, {
                       "arriving",
                       {fmt::format("{} saddr {} tcp dport {}", family_of(address), address, port)},
                   });
}

Status PacketFilter::add_answers(const std::string& link, const std::string& address,
                                 unsigned short port) {
  return add(link, {
                       "leaving",
                       {fmt::format("{} daddr {} tcp sport {}", family_of(address), address, port)},
                   });
}

Status PacketFilter::add(const std::string& link, Link fresh) {
  links_[link] = std::move(fresh);
  return apply();
}

Result<PacketFilter::Link*> PacketFilter::find(const std::string& link) {
  const auto found = links_.find(link);
  if (found != links_.end()) return &found->second;
  return Error{ErrorKind::internal, fmt::format("there is no link {}", link)};
}

Status PacketFilter::set_cut(const std::string& link, bool cut) {
  const Result<Link*> found = find(link);
  if (!found) return found.error();
  (*found)->cut = cut;
  return apply();
}

Status PacketFilter::shape(const std::string& link, unsigned lost_of_million,
                           std::uint64_t bytes_per_second) {
  const Result<Link*> found = find(link);
  if (!found) return found.error();
  (*found)->lost_of_million = lost_of_million;
  (*found)->bytes_per_second = bytes_per_second;
  return apply();
}

/// Each packet meets the first that takes it.
std::string PacketFilter::rules_of(const std::string& name, const Link& link) const {
  std::vector<std::string> fates;
  if (link.cut) fates.push_back(fmt::format("counter name cut_{} drop", name));
  if (link.lost_of_million > 0)
    fates.push_back(fmt::format("numgen random mod 1000000 < {} counter name lost_{} drop",
                                link.lost_of_million, name));
  if (link.bytes_per_second > 0)
    fates.push_back(
        fmt::format("limit rate over {} bytes/second burst 32768 bytes counter name lost_{} drop",
                    link.bytes_per_second, name));
  fates.push_back("counter name passed_" + name);
  std::string rules;
  for (const std::string& match : link.matches) {
    for (const std::string& fate : fates)
      rules += fmt::format("add rule inet {} {} {} {}\n", table_, link.chain, match, fate);
  }
  return rules;
}

/// All rules at once: nft does all that it is told, or nothing. Counters have names, so they
/// outlive their rules.
Status PacketFilter::apply() {
  std::string commands = fmt::format(
      "add table inet {0}\n"
      "add chain inet {0} arriving {{ type filter hook input priority -300; policy accept; }}\n"
      "add chain inet {0} leaving {{ type filter hook output priority -300; policy accept; }}\n"
      "flush chain inet {0} arriving\n"
      "flush chain inet {0} leaving\n",
      table_);
  if (!spared_.empty())
    commands += fmt::format("add rule inet {} arriving {} accept\n", table_, spared_);
  for (const auto& [name, link] : links_) {
    for (const char* fate : {"cut", "lost", "passed"})
      commands += fmt::format("add counter inet {} {}_{}\n", table_, fate, name);
    commands += rules_of(name, link);
  }
  const auto done = nft(commands);
  return done ? Status(Done{}) : done.error();
}

Result<std::vector<Passage>> PacketFilter::passages(const std::vector<std::string>& links) const {
  const auto listing = nft(fmt::format("list counters table inet {}\n", table_));
  if (!listing) return listing.error();
  std::vector<Passage> all;
  for (const std::string& link : links) {
    const auto cut = counter_in(*listing, "cut_" + link);
    const auto passed = counter_in(*listing, "passed_" + link);
    const auto lost = counter_in(*listing, "lost_" + link);
    all.push_back({cut.first, cut.second, passed.first, passed.second, lost.first});
  }
  return all;
}

void PacketFilter::remove() {
  if (links_.empty()) return;
  links_.clear();
  static_cast<void>(nft(fmt::format("delete table inet {}\n", table_)));
}

}  // namespace consistory
