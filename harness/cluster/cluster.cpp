#include "harness/cluster/cluster.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "base/escape.h"

namespace consistory {
namespace {
constexpr Nanos kPoll = 10 * kMillisecond;
constexpr Nanos kEndTimeout = 5 * kSecond;
}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::start(const Store& store, std::unique_ptr<Ground> ground,
                                                const ClusterOptions& options) {
  std::unique_ptr<Cluster> cluster(new Cluster(store, std::move(ground), options));
  if (Status laid = cluster->lay_out(); !laid) return laid.error();
  for (Place node = 1; node <= cluster->size(); ++node) {
    if (Status spawned = cluster->spawn(node); !spawned) return spawned.error();
  }
  for (Place node = 1; node <= cluster->size(); ++node) {
    if (Status ready = cluster->await_ready(node); !ready) return ready.error();
  }
  return cluster;
}

Status Cluster::lay_out() {
  nodes_.resize(options_.nodes);
  for (Place node = 1; node <= size(); ++node) {
    NodeLayout& layout = member(node).layout;
    layout.number = node;
    layout.seed = options_.seed;
    layout.data_directory = options_.data_directory + "/" + name(node);
    layout.own = ground_->own(node);
    for (Place peer = 1; peer <= size(); ++peer) layout.peers.push_back(ground_->reach(node, peer));
    std::error_code error;
    std::filesystem::create_directories(layout.data_directory, error);
    if (error) {
      return environment_error(
          fmt::format("cannot create {}: {}", layout.data_directory, error.message()));
    }
  }
  return Done{};
}

std::string Cluster::url(Place node) const {
  return "http://" + ground_->reach(kClients, node).text();
}

std::string Cluster::status_url(Place node) const {
  return "http://" + nodes_[node - 1].layout.own.text() + store_.readiness_path();
}

Controls Cluster::controls() {
  Controls controls{this, &ground_->links(), this, {"clients"}};
  for (Place node = 1; node <= size(); ++node) controls.node_names.push_back(name(node));
  return controls;
}

std::string Cluster::log_path(Place node) const {
  return fmt::format("{}/{}.log", options_.log_directory, name(node));
}

std::string Cluster::last_words(Place node) const {
  std::ifstream log(log_path(node));
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return shorten(escape_terminal(last), 200);
}

Status Cluster::spawn(Place node) {
  Command command = store_.command(member(node).layout);
  command.network_space = ground_->network_space(node);
  Result<ChildProcess> process = ChildProcess::spawn(command, log_path(node));
  if (!process) return process.error();
  const std::lock_guard lock(mutex_);
  member(node).process = std::move(*process);
  return Done{};
}

Status Cluster::await_ready(Place node) {
  const Nanos deadline = monotonic_now() + options_.start_timeout;
  while (monotonic_now() < deadline) {
    if (store_.parse_status(http_exchange({status_url(node), "", kSecond}))) return Done{};
    const std::lock_guard lock(mutex_);
    const auto end = member(node).process->wait(monotonic_now() + kPoll);
    if (end) {
      return store_error(fmt::format("node {} {} before it served: {} (log: {})", name(node),
                                     describe_end(*end), last_words(node), log_path(node)));
    }
  }
  return store_error(fmt::format("node {} did not serve within {:.0f} s (log: {})", name(node),
                                 static_cast<double>(options_.start_timeout) / kSecond,
                                 log_path(node)));
}

Result<std::string> Cluster::kill(Place node) {
  const std::lock_guard lock(mutex_);
  std::optional<ChildProcess>& process = member(node).process;
  const bool alive = process && process->running();
  if (!alive) {
    return store_error(fmt::format("node {} had ended before it was to be killed: {} (log: {})",
                                   name(node), last_words(node), log_path(node)));
  }
  process->signal(SIGKILL);
  const auto end = process->wait(monotonic_now() + kEndTimeout);
  if (!end) return store_error(fmt::format("node {} did not end after SIGKILL", name(node)));
  std::string description = describe_end(*end);
  process.reset();
  if (description == "killed by signal 9") return description;
  return store_error(fmt::format("node {} {} just before it was killed (log: {})", name(node),
                                 description, log_path(node)));
}

Status Cluster::ensure_running(Place node) {
  {
    const std::lock_guard lock(mutex_);
    if (member(node).process && member(node).process->running()) return Done{};
  }
  if (Status spawned = spawn(node); !spawned) return spawned;
  return await_ready(node);
}

Result<std::string> Cluster::pause(Place node) {
  const std::lock_guard lock(mutex_);
  const std::optional<ChildProcess>& process = member(node).process;
  if (!process)
    return store_error(fmt::format("node {} is not running, so it cannot be paused", name(node)));
  process->signal(SIGSTOP);
  const Nanos deadline = monotonic_now() + kSecond;
  while (process->state() != 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  const char state = process->state();
  if (state != 'T')
    return store_error(fmt::format("node {} is in state {} after SIGSTOP", name(node), state));
  return std::string("T (stopped)");
}

Status Cluster::resume(Place node) {
  const std::lock_guard lock(mutex_);
  if (member(node).process) member(node).process->signal(SIGCONT);
  return Done{};
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

/// By renaming, so that the node never reads half a number.
Status Cluster::set_offset(Place node, Nanos offset) {
  const std::string path = store_.clock_offset_file(member(node).layout);
  const std::string fresh = path + ".new";
  std::ofstream(fresh) << offset / kMillisecond << '\n';
  std::error_code error;
  std::filesystem::rename(fresh, path, error);
  if (error) return environment_error(fmt::format("cannot write {}: {}", path, error.message()));
  return Done{};
}

std::optional<Nanos> Cluster::offset(Place node) const {
  const std::optional<NodeStatus> answer = status(node);
  if (!answer) return std::nullopt;
  return answer->clock_offset_ms * kMillisecond;
}

std::optional<std::string> Cluster::unexpected_end() {
  const std::lock_guard lock(mutex_);
  for (Place node = 1; node <= size(); ++node) {
    std::optional<ChildProcess>& process = member(node).process;
    if (!process) continue;  // killed on purpose, or being started again
    if (const auto end = process->wait(0)) {
      return fmt::format("node {} {} though nothing killed it: {} (log: {})", name(node),
                         describe_end(*end), last_words(node), log_path(node));
    }
  }
  return std::nullopt;
}

std::optional<NodeStatus> Cluster::status(Place node) const {
  return store_.parse_status(http_exchange({status_url(node), "", kSecond}));
}

}  // namespace consistory
