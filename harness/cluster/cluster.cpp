#include "harness/cluster/cluster.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "harness/clocks/process_clock.h"
#include "harness/cluster/local_member.h"
#include "harness/hosts/hosted_member.h"
#include "harness/processes/processes.h"

namespace consistory {
namespace {
constexpr Nanos kPoll = 10 * kMillisecond;
}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::start(const Store& store, std::unique_ptr<Ground> ground,
                                                const ClusterOptions& options) {
  std::unique_ptr<Cluster> cluster(new Cluster(store, std::move(ground), options));
  if (Status laid = cluster->lay_out(); !laid) return laid.error();
  if (Status started = cluster->start_all(); !started) return started.error();
  return cluster;
}

Status Cluster::lay_out() {
  for (Place place = 1; place <= options_.nodes; ++place) {
    NodeLayout layout;
    layout.number = place;
    layout.seed = options_.seed;
    layout.data_directory = options_.data_directory + "/" + name(place);
    layout.own = ground_->own(place);
    for (Place peer = 1; peer <= options_.nodes; ++peer)
      layout.peers.push_back(ground_->reach(place, peer));
    if (const unsigned short port = store_.client_port(); port > 0 && !options_.attached) {
      layout.own.port = port;
      for (Endpoint& peer : layout.peers) peer.port = port;
    }
    if (Status added = add_member(std::move(layout)); !added) return added;
  }
  return Done{};
}

Status Cluster::add_member(NodeLayout layout) {
  const Place place = layout.number;
  if (RemoteHost* host = ground_->host(place)) {
    nodes_.push_back(std::make_unique<HostedMember>(*host, std::move(layout)));
    return Done{};
  }
  auto member = std::make_unique<LocalMember>(store_, std::move(layout), options_.log_directory,
                                              ground_->network_space(place));
  Status made = options_.attached ? Status(Done{}) : member->make_directory(options_.own_disks);
  nodes_.push_back(std::move(member));
  return made;
}

Status Cluster::start_all() {
  if (options_.attached) return Done{};
  for (Place node = 1; node <= size(); ++node) {
    if (Status spawned = prepare_and_spawn(node); !spawned) return spawned;
    if (!store_.starts_in_turn()) continue;
    if (Status ready = await_ready(node); !ready) return ready;
  }
  for (Place node = 1; node <= size(); ++node) {
    if (Status ready = await_ready(node); !ready) return ready;
  }
  std::vector<NodeLayout> layouts;
  for (const auto& node : nodes_) layouts.push_back(node->layout());
  if (Status joined = store_.join_up(layouts); !joined) return joined;
  for (const auto& node : nodes_) {
    if (node->disk() != nullptr) node->disk()->write_back();  // what was prepared is there to stay
  }
  return Done{};
}

Status Cluster::prepare_and_spawn(Place node) {
  if (Status prepared = at(node).prepare(); !prepared) return prepared;
  return spawn(node);
}

std::unique_ptr<Clients> Cluster::clients(std::size_t slots) const {
  std::vector<Endpoint> reached;
  for (Place node = 1; node <= size(); ++node) {
    reached.push_back(ground_->reach(kClients, node));
    if (const unsigned short port = store_.client_port(); port > 0 && !options_.attached)
      reached.back().port = port;
  }
  return store_.clients(slots, reached);
}

Controls Cluster::controls() {
  Controls controls{
      this, &ground_->links(), this, options_.own_disks ? this : nullptr, {"clients"}};
  for (Place node = 1; node <= size(); ++node) controls.node_names.push_back(name(node));
  return controls;
}

Status Cluster::spawn(Place node) {
  const std::lock_guard lock(mutex_);
  return at(node).spawn();
}

Status Cluster::await_ready(Place node) {
  const Nanos deadline = monotonic_now() + store_.start_timeout();
  while (monotonic_now() < deadline) {
    if (status(node)) return Done{};
    pause_for(kPoll);
    const std::lock_guard lock(mutex_);
    if (const auto end = at(node).end()) {
      return store_error(
          fmt::format("node {} {} before it served: {}", name(node), *end, at(node).last_words()));
    }
  }
  return store_error(fmt::format("node {} did not serve within {:.0f} s: {}", name(node),
                                 static_cast<double>(store_.start_timeout()) / kSecond,
                                 at(node).last_words()));
}

Result<std::string> Cluster::kill(Place node) {
  const std::lock_guard lock(mutex_);
  if (!at(node).is_up()) return std::string();
  const bool may_end = at(node).may_end > 0;
  if (const auto end = at(node).end(); end && !may_end) {
    return store_error(fmt::format("node {} had ended before it was to be killed: {}", name(node),
                                   at(node).last_words()));
  }
  Result<std::string> end = at(node).kill();
  if (!end || end->empty() || *end == "killed by signal 9" || may_end) return end;
  return store_error(fmt::format("node {} {} just before it was killed: {}", name(node), *end,
                                 at(node).last_words()));
}

/// False if it runs already.
Result<bool> Cluster::start_again(Place node) {
  {
    const std::lock_guard lock(mutex_);
    if (at(node).is_up() && !at(node).end()) return false;
    if (const auto cleared = at(node).kill(); !cleared) return cleared.error();
    at(node).pauses = 0;
    at(node).kept_monotonic = 0;
  }
  if (Status spawned = spawn(node); !spawned) return spawned.error();
  return true;
}

Status Cluster::ensure_running(const std::vector<Place>& nodes) {
  std::vector<Place> started;
  for (const Place node : nodes) {
    const Result<bool> fresh = start_again(node);
    if (!fresh) return fresh.error();
    if (*fresh) started.push_back(node);
  }
  for (const Place node : started) {
    if (Status ready = await_ready(node); !ready) return ready;
    if (at(node).skew.none()) continue;
    if (Status moved = move_clocks(node); !moved) return moved;
  }
  return Done{};
}

Result<std::string> Cluster::pause(Place node) {
  const std::lock_guard lock(mutex_);
  if (!at(node).is_up() || at(node).end()) return std::string();
  Result<std::string> state = at(node).stop();
  if (!state || !state->empty()) ++at(node).pauses;  // even if it only half stopped
  return state;
}

Status Cluster::resume(Place node) {
  const std::lock_guard lock(mutex_);
  int& pauses = at(node).pauses;
  return pauses > 0 && --pauses == 0 ? at(node).go_on() : Status(Done{});
}

void Cluster::allow_end(Place node) {
  const std::lock_guard lock(mutex_);
  ++at(node).may_end;
}

void Cluster::forbid_end(Place node) {
  const std::lock_guard lock(mutex_);
  --at(node).may_end;
}

/// Of several that say so, an old one that was cut off among them, the one of the highest term.
std::optional<Place> Cluster::leader() {
  std::optional<Place> leader;
  std::int64_t term = -1;
  for (Place node = 1; node <= size(); ++node) {
    const std::optional<NodeStatus> answer = status(node);
    if (!answer || !answer->leads || answer->term <= term) continue;
    leader = node;
    term = answer->term;
  }
  return leader;
}

Status Cluster::set_skew(Place node, const ClockSkew& skew) {
  Member& member = at(node);
  // A monotonic clock never goes back: what it gained it keeps, and is read without it.
  const auto since = static_cast<double>(monotonic_now() - member.skewed_at);
  const auto gained =
      member.skew.monotonic + static_cast<Nanos>(member.skew.monotonic_drift * since);
  member.kept_monotonic += std::max<Nanos>(gained, 0);
  member.skew = skew;
  member.skewed_at = monotonic_now();
  return move_clocks(node);
}

/// In every process of the node; where that cannot be done, by the file that the store reads, if it
/// does (by renaming, so that the node never reads half a number).
Status Cluster::move_clocks(Place node) {
  const std::lock_guard lock(mutex_);
  ClockSkew skew = at(node).skew;
  if (can_move_clocks()) {
    if (!at(node).is_up() || at(node).end()) return Done{};
    skew.monotonic += at(node).kept_monotonic;
    const std::vector<pid_t> pids = at(node).pids();
    for (std::size_t i = 0; i < pids.size(); ++i) {
      const Status moved = move_clock(pids[i], skew);
      if (!moved && i == 0 && !at(node).end()) return moved;  // others come and go
    }
    return Done{};
  }
  const std::string path = store_.clock_offset_file(at(node).layout());
  if (path.empty()) return can_move_clocks();
  if (!skew.only_wall_offset())
    return environment_error("this machine cannot make clocks drift: only clock:jump and skew");
  const std::string fresh = path + ".new";
  std::ofstream(fresh) << skew.wall / kMillisecond << '\n';
  std::error_code error;
  std::filesystem::rename(fresh, path, error);
  if (error) return environment_error(fmt::format("cannot write {}: {}", path, error.message()));
  return Done{};
}

std::optional<ClockReading> Cluster::read_clocks(Place node) {
  if (!can_move_clocks()) {
    const std::optional<NodeStatus> answer = status(node);
    if (!answer) return std::nullopt;
    return ClockReading{answer->clock_offset_ms * kMillisecond, 0};
  }
  const std::lock_guard lock(mutex_);
  if (!at(node).is_up() || at(node).end()) return std::nullopt;
  const pid_t main = at(node).pids().front();
  if (state_of(main) == 'T') return std::nullopt;
  const Result<ClockReading> reading = read_clock(main);
  if (!reading) return std::nullopt;
  return ClockReading{reading->wall, reading->monotonic - at(node).kept_monotonic};
}

void Cluster::set_trouble(Place node, const DiskTrouble& trouble) {
  at(node).disk()->set_trouble(trouble);
}

DiskCounters Cluster::counters(Place node) const { return at(node).disk()->counters(); }

Result<std::string> Cluster::lose_unsynced(Place node, bool torn) {
  return at(node).disk()->lose_unsynced(torn);
}

Result<std::string> Cluster::flip_bit(Place node, Random& random) {
  return at(node).disk()->flip_bit(random);
}

std::optional<std::string> Cluster::unexpected_end() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return std::nullopt;  // a fault is at work; the load is not to wait for it
  for (const auto& node : nodes_) {
    if (node->may_end > 0) continue;  // or killed on purpose, and then not up
    if (const auto end = node->end()) {
      return fmt::format("node {} {} though nothing killed it: {}", node->name(), *end,
                         node->last_words());
    }
  }
  return std::nullopt;
}

std::optional<NodeStatus> Cluster::status(Place node) const {
  return store_.status(at(node).layout());
}

}  // namespace consistory
