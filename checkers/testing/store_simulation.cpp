#include "checkers/testing/store_simulation.h"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <vector>

#include "base/suggest.h"

namespace consistory {
namespace {

constexpr std::size_t kManyKeys = 1000;
constexpr std::size_t kHotKeys = 5;
constexpr std::size_t kDeliveriesPerOperation = 5;

struct Update {
  std::size_t key = 0;
  std::int64_t value = 0;
  std::uint64_t stamp = 0;             // Lamport time and replica: its place for last-writer-wins
  std::vector<std::uint32_t> depends;  // per replica: how many of its updates come before
};

struct Cell {
  std::int64_t value = 0;  // 0: nothing yet
  std::uint64_t stamp = 0;
};

struct Replica {
  std::vector<Cell> cells;
  std::vector<std::uint32_t> applied;  // per replica: how many of its updates
  std::uint64_t clock = 0;
  std::size_t log_position = 0;
};

class Simulation {
 public:
  Simulation(const SimulationPlan& plan, std::FILE* out)
      : plan_(plan), out_(out), random_(plan.seed), origin_(plan.replicas) {
    keys_ = plan.load == SimulatedLoad::many  ? kManyKeys
            : plan.load == SimulatedLoad::hot ? kHotKeys
                                              : plan.sessions;
    replicas_.resize(plan.store == SimulatedStore::strong ? 1 : plan.replicas);
    for (Replica& replica : replicas_) {
      replica.cells.resize(keys_);
      replica.applied.assign(plan.replicas, 0);
    }
  }

  void run() {
    print_header();
    for (done_ = 0; done_ < plan_.operations;) {
      if (done_ >= plan_.operations / 2 && !acted_) act_out();
      const std::size_t session = random_.below(plan_.sessions);
      if (plan_.load == SimulatedLoad::chains) {
        read(session, (session + plan_.sessions - 1) % plan_.sessions);
        write(session, session);
      } else if (random_.chance(0.5)) {
        write(session, random_.below(keys_));
      } else {
        read(session, random_.below(keys_));
      }
      for (std::size_t i = 0; i < kDeliveriesPerOperation; ++i) deliver_one();
    }
    read_finally();
    std::fwrite(buffer_.data(), 1, buffer_.size(), out_);
  }

 private:
  Replica& replica_of(std::size_t session) { return replicas_[session % replicas_.size()]; }

  void write(std::size_t session, std::size_t key) {
    Replica& replica = replica_of(session);
    const std::size_t at = session % replicas_.size();
    Update update;
    update.key = key;
    update.value = ++last_value_;
    update.stamp = ++replica.clock << 8 | at;
    print(session, "write", fmt::format("k{}", key), update.value, at);
    if (plan_.store == SimulatedStore::log) {
      log_.push_back(update);
      catch_up(replica, log_.size());
      return;
    }
    update.depends = replica.applied;
    apply(replica, update);
    ++replica.applied[at];
    origin_[at].push_back(std::move(update));
  }

  void read(std::size_t session, std::size_t key) {
    const std::size_t at = session % replicas_.size();
    print(session, "read", fmt::format("k{}", key), replicas_[at].cells[key].value, at);
  }

  void apply(Replica& replica, const Update& update) {
    Cell& cell = replica.cells[update.key];
    replica.clock = std::max(replica.clock, update.stamp >> 8);
    const bool wins = plan_.store != SimulatedStore::converge || update.stamp > cell.stamp;
    if (wins) cell = {update.value, update.stamp};
  }

  void catch_up(Replica& replica, std::size_t to) {
    for (; replica.log_position < to; ++replica.log_position)
      apply(replica, log_[replica.log_position]);
  }

  /// Some replica receives the next update of some other, if it has all that it depends on.
  void deliver_one() {
    if (plan_.store == SimulatedStore::strong) return;
    Replica& replica = replicas_[random_.below(replicas_.size())];
    if (plan_.store == SimulatedStore::log) {
      if (replica.log_position < log_.size()) catch_up(replica, replica.log_position + 1);
      return;
    }
    deliver_from(replica, random_.below(replicas_.size()));
  }

  bool deliver_from(Replica& replica, std::size_t from) {
    const std::uint32_t next = replica.applied[from];
    if (next >= origin_[from].size()) return false;
    const Update& update = origin_[from][next];
    for (std::size_t other = 0; other < replicas_.size(); ++other) {
      if (replica.applied[other] < update.depends[other]) return false;
    }
    apply(replica, update);
    ++replica.applied[from];
    return true;
  }

  /// Sessions and keys of their own act out the planted violation, so that its smallest witness is
  /// known.
  void act_out() {
    acted_ = true;
    const std::size_t p = plan_.sessions;
    const auto value = [&] { return ++last_value_; };
    switch (plan_.planted) {
      case Planted::stale_read: {
        const auto [a, b] = std::pair(value(), value());
        print(p, "write", "planted", a, 0);
        print(p, "write", "planted", b, 0);
        print(p + 1, "read", "planted", b, 1);
        print(p + 1, "read", "planted", a, 1);
        return;
      }
      case Planted::lost_write:
        print(p, "write", "planted", value(), 0);
        print(p, "read", "planted", 0, 0);
        return;
      case Planted::reordered_pair: {
        const std::int64_t b = value();
        print(p, "write", "planted a", value(), 0);
        print(p, "write", "planted b", b, 0);
        print(p + 1, "read", "planted b", b, 1);
        print(p + 1, "read", "planted a", 0, 1);
        return;
      }
      case Planted::resurrected_value: {
        const auto [a, b] = std::pair(value(), value());
        print(p, "write", "planted", a, 0);
        print(p + 1, "read", "planted", a, 1);
        print(p + 1, "write", "planted", b, 1);
        print(p + 2, "read", "planted", b, 2);
        print(p + 2, "read", "planted", a, 2);
        return;
      }
      case Planted::skipped_dependency: {
        const auto [a, b] = std::pair(value(), value());
        print(p, "write", "planted a", a, 0);
        print(p + 1, "read", "planted a", a, 1);
        print(p + 1, "write", "planted b", b, 1);
        print(p + 2, "read", "planted b", b, 2);
        print(p + 2, "read", "planted a", 0, 2);
        return;
      }
      case Planted::diverging_replica:
      case Planted::nothing:
        return;
    }
  }

  /// Every replica receives everything; then each key is read at each.
  void read_finally() {
    for (bool moved = true; moved;) {
      moved = false;
      for (Replica& replica : replicas_) {
        if (plan_.store == SimulatedStore::log) catch_up(replica, log_.size());
        for (std::size_t from = 0; from < replicas_.size() && !log_only(); ++from)
          moved = deliver_from(replica, from) || moved;
      }
    }
    if (plan_.planted == Planted::diverging_replica) replicas_.back().cells[0].value = 1;
    const bool agree = plan_.store != SimulatedStore::arrival;
    for (std::size_t at = 0; at < replicas_.size() && agree; ++at) {
      for (std::size_t key = 0; key < keys_; ++key)
        print_final(at, key, replicas_[at].cells[key].value);
    }
  }
  bool log_only() const {
    return plan_.store == SimulatedStore::log || plan_.store == SimulatedStore::strong;
  }

  void print_header() {
    std::string nodes;
    for (std::size_t i = 0; i < replicas_.size(); ++i)
      nodes += fmt::format("{}\"n{}\"", i == 0 ? "" : ",", i + 1);
    buffer_ += fmt::format("{{\"schema\":\"consistory.history/1\",\"nodes\":[{}]}}\n", nodes);
  }

  static std::string shown(std::int64_t value) {
    return value == 0 ? "null" : std::to_string(value);
  }

  void print(std::size_t session, std::string_view function, std::string_view key,
             std::int64_t value, std::size_t node) {
    const std::string invoked = function == "read" ? "null" : shown(value);
    print_line(session, "invoke", function, key, invoked, node, "");
    print_line(session, "ok", function, key, shown(value), node, "");
    ++done_;
    if (buffer_.size() < 1U << 20) return;
    std::fwrite(buffer_.data(), 1, buffer_.size(), out_);
    buffer_.clear();
  }

  void print_final(std::size_t at, std::size_t key, std::int64_t value) {
    const std::size_t session = plan_.sessions + 10 + at;
    const std::string name = fmt::format("k{}", key);
    print_line(session, "invoke", "read", name, "null", at, ",\"final\":true,\"local\":true");
    print_line(session, "ok", "read", name, shown(value), at, ",\"final\":true,\"local\":true");
  }

  void print_line(std::size_t session, std::string_view type, std::string_view function,
                  std::string_view key, std::string_view value, std::size_t node,
                  std::string_view more) {
    fmt::format_to(std::back_inserter(buffer_),
                   "{{\"index\":{0},\"time\":{1},\"process\":{2},\"type\":\"{3}\",\"f\":\"{4}\","
                   "\"key\":\"{5}\",\"value\":{6},\"node\":\"n{7}\"{8}}}\n",
                   index_, index_ * 1000, session, type, function, key, value, node + 1, more);
    ++index_;
  }

  const SimulationPlan& plan_;
  std::FILE* out_;
  Random random_;
  std::size_t keys_ = 0;
  std::size_t done_ = 0;
  std::size_t index_ = 0;
  bool acted_ = false;
  std::int64_t last_value_ = 0;
  std::vector<Replica> replicas_;
  std::vector<std::deque<Update>> origin_;  // per replica: the updates made there
  std::deque<Update> log_;
  std::string buffer_;
};

template <class Enum, std::size_t count>
Result<Enum> named(std::string_view kind, std::string_view name,
                   const std::array<std::string, count>& names) {
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return usage_error(unknown_name(kind, name, {names.begin(), names.end()}));
}

}  // namespace

Result<SimulatedStore> simulated_store_named(std::string_view name) {
  return named<SimulatedStore, 4>("store", name, {"strong", "log", "converge", "arrival"});
}

Result<SimulatedLoad> simulated_load_named(std::string_view name) {
  return named<SimulatedLoad, 3>("load", name, {"many", "hot", "chains"});
}

Result<Planted> planted_named(std::string_view name) {
  return named<Planted, 7>("violation", name,
                           {"nothing", "stale-read", "lost-write", "reordered-pair",
                            "resurrected-value", "skipped-dependency", "diverging-replica"});
}

void simulate(const SimulationPlan& plan, std::FILE* out) { Simulation(plan, out).run(); }

}  // namespace consistory
