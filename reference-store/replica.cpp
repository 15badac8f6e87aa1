#include "reference-store/replica.h"

#include <fmt/format.h>

#include <algorithm>

namespace refstore {
namespace {

constexpr std::size_t kRepairMax = 500;
constexpr int kNodeBits = 5;
constexpr int kIncarnationBits = 7;
constexpr int kTimeShift = kNodeBits + kIncarnationBits;

}  // namespace

Json to_json(const Update& u) {
  return Json::array({u.origin, u.seq, u.ver, u.f, u.key, u.value, u.depends, u.after});
}
Update update_from_json(const Json& j) {
  return {j.at(0), j.at(1), j.at(2), j.at(3), j.at(4), j.at(5), j.at(6), j.at(7)};
}

Replica::Replica(const Config& config, Options options)
    : config_(config),
      options_(options),
      origin_(fmt::format("{}.{}", config.self, config.incarnation)) {}

bool Replica::clashes(const Request& request) const {
  const auto cell = cells_.find(request.key);
  if (request.f == "read" || cell == cells_.end()) return false;
  return cell->second.list != (request.f == "append");
}

/// Above all that this node has seen; by the wall clock, only above this node's own (or two updates
/// of one node could be the same).
std::int64_t Replica::next_version(Time now) {
  const bool by_wall = options_.wall_clock || config_.planted("wall-clock-versions");
  const std::int64_t time = by_wall ? std::max(clock_ + 1, now.wall) : clock_ + 1;
  const auto node = static_cast<std::int64_t>(config_.self);
  const auto incarnation =
      static_cast<std::int64_t>(config_.incarnation % (1U << kIncarnationBits));
  return time << kTimeShift | node << kIncarnationBits | incarnation;
}

const Update& Replica::create(const Request& request, Vector depends, Time now) {
  const std::uint64_t seq = contiguous_[origin_] + 1;
  const std::int64_t ver = next_version(now);
  clock_ = ver >> kTimeShift;
  learn({origin_, seq, ver, request.f == "append" ? "append" : "write", request.key,
         request.f == "delete" ? Json() : request.value, std::move(depends), request.depends});
  return updates_[origin_].at(seq);
}

bool Replica::learn(const Update& update, bool shown) {
  if (!shown) hidden_.insert({update.origin, update.seq});
  auto& known = updates_[update.origin];
  if (!known.try_emplace(update.seq, update).second) return false;
  std::uint64_t& upto = contiguous_[update.origin];
  ++gaps_;
  for (; known.contains(upto + 1); ++upto) --gaps_;
  waiting_.push_back(update);
  for (bool moved = true; moved;) {
    moved = false;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto here = at++;
      if (!ready(*here)) continue;
      apply(*here);
      waiting_.erase(here);
      moved = true;
    }
  }
  return true;
}

bool Replica::ready(const Update& update) const {
  if (options_.in_sequence && update.seq != 1 && !holds(Vector{{update.origin, update.seq - 1}}))
    return false;
  if (config_.planted("ignore-dependency")) return true;
  return holds(update.depends) && holds(update.after);
}

void Replica::apply(const Update& update) {
  std::set<std::uint64_t>& beyond = applied_beyond_[update.origin];
  std::uint64_t& upto = applied_[update.origin];
  beyond.insert(update.seq);
  for (; !beyond.empty() && *beyond.begin() == upto + 1; ++upto) beyond.erase(beyond.begin());
  const bool own = (update.ver >> kIncarnationBits) % (1 << kNodeBits) == config_.self;
  const bool clock_counts = !options_.wall_clock && !config_.planted("wall-clock-versions") &&
                            !config_.planted("clock-not-merged");
  if (clock_counts || own) clock_ = std::max(clock_, update.ver >> kTimeShift);
  const bool skipped = !own && config_.planted("gossip-skips-key") && update.key.ends_with('1');
  if (!skipped && !hidden_.contains({update.origin, update.seq})) show(update);
}

void Replica::show(const Update& update) {
  Cell& cell = cells_[update.key];
  std::int64_t place = options_.by_arrival ? ++arrivals_ : update.ver;
  if (config_.planted("tie-by-arrival"))
    place = update.ver >> kTimeShift << kTimeShift | (++arrivals_ % (1 << kTimeShift));
  if (update.f == "append") {
    cell.list = true;
    cell.elements[place] = update.value;
    cell.sources[update.origin].insert(update.seq);
  } else if (place > cell.place) {
    const bool forgets = update.value.is_null() && config_.planted("delete-without-tombstone");
    cell.place = forgets ? 0 : place;
    cell.ver = update.ver;
    cell.value = update.value;
    cell.sources = {{update.origin, {update.seq}}};
  }
}

Json Replica::shown(const Cell& cell) {
  if (!cell.list) return cell.value;
  Json all = Json::array();
  for (const auto& [place, element] : cell.elements) all.push_back(element);
  return all;
}

/// Versions tell one order of a key's updates; where each node has its own there is none.
Response Replica::read(const std::string& key) const {
  Response response;
  const auto found = cells_.find(key);
  if (found == cells_.end()) {
    if (!options_.by_arrival) response.ver = 0;
    return response;
  }
  response.value = shown(found->second);
  if (!options_.by_arrival && !found->second.list) response.ver = found->second.ver;
  return response;
}

Updates Replica::sources(const std::string& key) const {
  const auto found = cells_.find(key);
  return found == cells_.end() ? Updates() : found->second.sources;
}

bool Replica::holds(const Vector& vector) const {
  return std::all_of(vector.begin(), vector.end(), [&](const auto& entry) {
    const auto found = applied_.find(entry.first);
    return entry.second == 0 || (found != applied_.end() && found->second >= entry.second);
  });
}

bool Replica::holds(const Updates& updates) const {
  return std::all_of(updates.begin(), updates.end(), [&](const auto& entry) {
    const auto& [origin, numbers] = entry;
    const auto upto = applied_.find(origin);
    const auto beyond = applied_beyond_.find(origin);
    return std::all_of(numbers.begin(), numbers.end(), [&](std::uint64_t number) {
      return (upto != applied_.end() && number <= upto->second) ||
             (beyond != applied_beyond_.end() && beyond->second.contains(number));
    });
  });
}

Json Replica::missing(const Vector& have, const std::set<std::uint64_t>& except_own) const {
  Json items = Json::array();
  for (const auto& [origin, updates] : updates_) {
    const auto found = have.find(origin);
    const std::uint64_t theirs = found == have.end() ? 0 : found->second;
    for (auto at = updates.upper_bound(theirs); at != updates.end(); ++at) {
      if (items.size() >= kRepairMax) return items;
      if (origin == origin_ && except_own.contains(at->first)) continue;
      items.push_back(to_json(at->second));
    }
  }
  return items;
}

std::string Replica::position() const {
  std::string position;
  for (const auto& [origin, count] : contiguous_) position += fmt::format("{}:{} ", origin, count);
  return position;
}

Json Replica::dump() const {
  Json all = Json::object();
  for (const auto& [key, cell] : cells_) all[key] = shown(cell);
  return all;
}

}  // namespace refstore
