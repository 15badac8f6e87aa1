#include "harness/hosts/host_links.h"

#include <fmt/format.h>

#include <sstream>

namespace consistory {
namespace {

constexpr Nanos kFresh = 50 * kMillisecond;

}  // namespace

std::string HostLinks::name_of(Place from, Place to) {
  if (to == kClients) return "to_clients";
  return from == kClients ? "from_clients" : fmt::format("from_n{}", from);
}

Status HostLinks::tell(const std::string& what, Place from, Place to, const std::string& more) {
  const auto done = host_of(from, to).ask(what + " " + name_of(from, to) + more);
  return done ? Status(Done{}) : done.error();
}

Status HostLinks::cut(Place from, Place to) {
  const std::lock_guard lock(mutex_);
  return ++cuts_[{from, to}] == 1 ? tell("cut", from, to) : Status(Done{});
}

Status HostLinks::heal(Place from, Place to) {
  const std::lock_guard lock(mutex_);
  int& cuts = cuts_[{from, to}];
  return cuts > 0 && --cuts == 0 ? tell("join", from, to) : Status(Done{});
}

Status HostLinks::impose(Place from, Place to, const LinkQuality& quality) {
  const std::lock_guard lock(mutex_);
  qualities_[{from, to}].impose(quality);
  return shape(from, to);
}

Status HostLinks::lift(Place from, Place to, const LinkQuality& quality) {
  const std::lock_guard lock(mutex_);
  qualities_[{from, to}].lift(quality);
  return shape(from, to);
}

Status HostLinks::shape(Place from, Place to) {
  constexpr double kMillion = 1e6;
  const LinkQuality& total = qualities_[{from, to}].total();
  return tell("shape", from, to,
              fmt::format(" {:.0f} {}", total.loss * kMillion, total.bits_per_second / 8));
}

LinkCounters HostLinks::counters(Place from, Place to) const {
  const std::lock_guard lock(counters_mutex_);
  const Place host = to == kClients ? from : to;
  if (monotonic_now() - looked_[host] > kFresh) look_at(host);
  return counters_[{from, to}];
}

/// Counters never go back: somebody who reloads the host's rules takes them away, not what they
/// counted.
void HostLinks::look_at(Place host) const {
  std::vector<std::pair<Place, Place>> links = {{kClients, host}, {host, kClients}};
  for (Place from = 1; from <= hosts_.size(); ++from) {
    if (from != host) links.emplace_back(from, host);
  }
  std::string request = "counts";
  for (const auto& [from, to] : links) request += " " + name_of(from, to);
  const auto answer = hosts_[host - 1]->ask(request);
  looked_[host] = monotonic_now();
  if (!answer) return;
  std::istringstream numbers(*answer);
  for (const auto& link : links) {
    LinkCounters now;
    std::uint64_t passed_packets = 0;
    numbers >> now.packets_cut >> now.bytes_held >> passed_packets >> now.bytes_passed >> now.lost;
    now.packets = now.packets_cut + now.lost + passed_packets;
    LinkCounters& known = counters_[link];
    if (numbers && now.packets >= known.packets) known = now;
  }
}

}  // namespace consistory
