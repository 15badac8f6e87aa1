// make_transactions: prints a long history of transactions of a simulated store. For scripts that
// measure; the harness itself does not use it.
//
// Sessions run one transaction after another, some at a time. A transaction reads the state that
// was committed when it began, and commits if nobody has meanwhile written what it writes
// (snapshot) or read (serializable); else it is aborted.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <vector>

#include "base/random.h"

namespace consistory {
namespace {

struct Plan {
  std::size_t transactions = 100'000;
  std::size_t steps = 4;
  std::size_t sessions = 50;
  std::size_t open = 10;  ///< at once
  std::size_t keys = 20;
  double zipf = 0;  ///< 0: all keys alike
  double reads = 0.5;
  std::string type = "list";
  std::string level = "serializable";
  std::string format = "edn";
  std::uint64_t seed = 1;
};

constexpr std::size_t kListMax = 100;  ///< then the key is retired for a fresh one

struct Version {
  std::uint64_t commit;
  std::int64_t value;
};

struct Step {
  std::size_t key;
  bool read;
  std::int64_t value = 0;  ///< written; read: how many versions were seen
};

class Simulation {
 public:
  explicit Simulation(const Plan& plan) : plan_(plan), random_(plan.seed) {
    for (std::size_t key = 0; key < plan.keys; ++key) {
      weights_.push_back((key == 0 ? 0 : weights_.back()) +
                         1 / std::pow(static_cast<double>(key + 1), plan.zipf));
      current_.push_back(key);
    }
    versions_.resize(plan.keys);
    busy_.resize(plan.sessions);
    texts_.resize(plan.sessions);
  }

  void run() {
    std::size_t done = 0;
    while (done < plan_.transactions) {
      const std::size_t session = random_.below(plan_.sessions);
      if (!busy_[session].empty()) done += finish(session) ? 1 : 0;
      else if (running_ < plan_.open) begin(session);
    }
    if (plan_.format != "text") return;
    for (std::size_t session = 0; session < plan_.sessions; ++session)
      fmt::print("{}{}", session == 0 ? "" : "=====\n", texts_[session]);
  }

 private:
  struct Open {
    std::uint64_t snapshot = 0;
    std::vector<Step> steps;
    bool empty() const { return steps.empty(); }
  };

  std::size_t draw_key() {
    const double at = static_cast<double>(random_.below(1'000'000'000)) / 1e9 * weights_.back();
    const auto found = std::lower_bound(weights_.begin(), weights_.end(), at);
    return static_cast<std::size_t>(std::min<std::ptrdiff_t>(
        found - weights_.begin(), static_cast<std::ptrdiff_t>(plan_.keys) - 1));
  }

  std::size_t seen(std::size_t key, std::uint64_t snapshot) const {
    const auto& versions = versions_[key];
    std::size_t count = versions.size();
    while (count > 0 && versions[count - 1].commit > snapshot) --count;
    return count;
  }

  void begin(std::size_t session) {
    Open& open = busy_[session];
    open.snapshot = commit_;
    for (std::size_t i = 0; i < plan_.steps; ++i) {
      const std::size_t slot = draw_key();
      Step step{current_[slot], random_.chance(plan_.reads)};
      const bool again = std::any_of(open.steps.begin(), open.steps.end(),
                                     [&](const Step& other) { return other.key == step.key; });
      if (again) continue;
      step.value = step.read ? static_cast<std::int64_t>(seen(step.key, open.snapshot)) : ++value_;
      open.steps.push_back(step);
      if (plan_.type == "list" && versions_[step.key].size() >= kListMax) {
        current_[slot] = versions_.size();
        versions_.emplace_back();
      }
    }
    ++running_;
    print(session, "invoke", open, false);
  }

  bool finish(std::size_t session) {
    Open open = std::move(busy_[session]);
    busy_[session] = {};
    --running_;
    const bool conflict = std::any_of(open.steps.begin(), open.steps.end(), [&](const Step& step) {
      const bool checked = !step.read || plan_.level == "serializable";
      const auto& versions = versions_[step.key];
      return checked && !versions.empty() && versions.back().commit > open.snapshot;
    });
    if (conflict) {
      print(session, "fail", open, false);
      return false;
    }
    ++commit_;
    for (const Step& step : open.steps) {
      if (!step.read) versions_[step.key].push_back({commit_, step.value});
    }
    print(session, "ok", open, true);
    return true;
  }

  std::string value_text(const Step& step, bool known) const {
    if (!step.read) return std::to_string(step.value);
    if (!known) return "nil";
    const auto& versions = versions_[step.key];
    const auto count = static_cast<std::size_t>(step.value);
    if (plan_.type != "list") return count == 0 ? "nil" : std::to_string(versions[count - 1].value);
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i)
      text += (i == 0 ? "" : " ") + std::to_string(versions[i].value);
    return text + "]";
  }

  void print(std::size_t session, const char* type, const Open& open, bool known) {
    if (plan_.format == "text") {
      if (known) print_text(session, open);
      return;
    }
    std::string steps;
    for (const Step& step : open.steps) {
      steps += fmt::format("{}[:{} {} {}]", steps.empty() ? "" : " ",
                           step.read              ? "r"
                           : plan_.type == "list" ? "append"
                                                  : "w",
                           step.key, value_text(step, known));
    }
    fmt::print("{{:type :{}, :f :txn, :value [{}], :process {}, :time {}}}\n", type, steps, session,
               ++time_);
  }

  void print_text(std::size_t session, const Open& open) {
    std::string& text = texts_[session];
    if (!text.empty()) text += "-----\n";
    for (const Step& step : open.steps) {
      const std::string value = value_text(step, true);
      if (value != "nil") text += fmt::format("{} {} {}\n", step.read ? 'r' : 'w', step.key, value);
    }
  }

  Plan plan_;
  Random random_;
  std::vector<double> weights_;
  std::vector<std::size_t> current_;  // per slot: the key that it stands for now
  std::vector<std::vector<Version>> versions_;
  std::vector<Open> busy_;
  std::vector<std::string> texts_;
  std::size_t running_ = 0;
  std::uint64_t commit_ = 0;
  std::int64_t value_ = 0;
  std::int64_t time_ = 0;
};

}  // namespace
}  // namespace consistory

int main(int argc, char** argv) {
  CLI::App app("Prints a history of transactions of a simulated store");
  consistory::Plan plan;
  app.add_option("--transactions", plan.transactions)->capture_default_str();
  app.add_option("--steps", plan.steps, "Of a transaction, at most")->capture_default_str();
  app.add_option("--sessions", plan.sessions)->capture_default_str();
  app.add_option("--open", plan.open, "Transactions at once")->capture_default_str();
  app.add_option("--keys", plan.keys, "At one time")->capture_default_str();
  app.add_option("--zipf", plan.zipf, "Exponent")->capture_default_str();
  app.add_option("--reads", plan.reads, "Share")->capture_default_str();
  app.add_option("--type", plan.type)->check(CLI::IsMember({"list", "register"}));
  app.add_option("--level", plan.level)->check(CLI::IsMember({"serializable", "snapshot"}));
  app.add_option("--format", plan.format)->check(CLI::IsMember({"edn", "text"}));
  app.add_option("--seed", plan.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  consistory::Simulation(plan).run();
}
