#include "harness/hosts/host_links.h"

#include <fmt/format.h>

#include <sstream>

namespace consistory {

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
  const auto answer = host_of(from, to).ask("count " + name_of(from, to));
  LinkCounters counters;
  if (!answer) return counters;
  std::uint64_t passed_packets = 0;
  std::istringstream(*answer) >> counters.packets_cut >> counters.bytes_held >> passed_packets >>
      counters.bytes_passed >> counters.lost;
  counters.packets = counters.packets_cut + counters.lost + passed_packets;
  return counters;
}

}  // namespace consistory
