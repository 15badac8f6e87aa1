#include "checkers/transactions/order_solver.h"

#include <algorithm>
#include <cadical.hpp>
#include <map>
#include <numeric>

#include "base/limits.h"
#include "checkers/order/budget.h"

namespace consistory {
namespace {

/// Cycles learned from one component of one choice.
constexpr std::size_t kCyclesAtOnce = 16;

/// A choice that takes more than this stays open.
constexpr int kConflictsAtOnce = 200'000;

/// Ends the solver when time is over.
class Watch : public CaDiCaL::Terminator {
 public:
  bool terminate() override {
    try {
      check_time();
    } catch (const OutOfTime&) {
      late_ = true;
    }
    return late_;
  }
  bool late() const { return late_; }

 private:
  bool late_ = false;
};

/// The open pairs of one key: variable `first + place` says that writer a comes before b, a < b.
struct Pairs {
  std::vector<int> variable;  ///< a * writers + b, for a < b; 0 where the order is decided
};

}  // namespace

struct OrderSolver::State {
  State(const WriteOrders& all_orders, const WriteSaturation& saturated,
        std::span<const std::uint32_t> position, std::uint64_t steps)
      : orders(all_orders), saturation(saturated), budget(steps) {
    solver.set("quiet", 1);
    solver.connect_terminator(&watch);
    int last = 0;
    for (std::size_t k = 0; k < orders.keys().size(); ++k) {
      const OpenKey& key = orders.keys()[k];
      const std::size_t count = key.writers.size();
      pairs.push_back({std::vector<int>(count * count, 0)});
      for (std::size_t a = 0; a < count; ++a) {
        for (std::size_t b = a + 1; b < count; ++b) {
          if (!saturation.is_open(k, a, b)) continue;
          pairs.back().variable[a * count + b] = ++last;
          const bool guessed = position[orders.nodes().writes(key.writers[a])] <
                               position[orders.nodes().writes(key.writers[b])];
          solver.add(last);  // known to the solver, and true of nothing
          solver.add(-last);
          solver.add(0);
          solver.phase(guessed ? last : -last);
        }
      }
    }
  }

  ~State() { solver.disconnect_terminator(); }

  /// The literal that says "a before b"; 0 if that is decided.
  int literal(std::size_t k, std::size_t a, std::size_t b) const {
    const std::size_t count = orders.keys()[k].writers.size();
    return a < b ? pairs[k].variable[a * count + b] : -pairs[k].variable[b * count + a];
  }

  bool is_before(std::size_t k, std::size_t a, std::size_t b) {
    const int choice = literal(k, a, b);
    return choice == 0 ? saturation.is_before(k, a, b) : solver.val(choice) == choice;
  }

  Answer run() {
    while (true) {
      solver.limit("conflicts", kConflictsAtOnce);
      const int status = solver.solve();
      if (watch.late()) throw OutOfTime();
      if (status == 20) return Answer::no;
      if (status != 10) return Answer::open;
      if (!learn()) return Answer::yes;
      if (budget.exhausted()) return Answer::open;
    }
  }

  /// Forbids cycles of the present choice; false if it has none.
  bool learn() {
    links = saturation.links();
    of_link.clear();
    for (std::size_t k = 0; k < orders.keys().size(); ++k) add_choices(k);
    budget.spend(links.size());
    std::map<std::pair<std::uint32_t, std::uint32_t>, int> literal_of;
    for (const auto& [place, choice] : of_link) {
      const auto ends = std::pair(links[place].from, links[place].to);
      literal_of.try_emplace(ends, choice);
    }
    for (std::size_t i = 0; i < saturation.links().size(); ++i) {
      const auto found = literal_of.find({links[i].from, links[i].to});
      if (found != literal_of.end()) found->second = 0;  // it holds whatever is chosen
    }
    const auto cycles = Digraph(orders.size(), links).short_cycles(kCyclesAtOnce);
    for (const std::vector<Link>& cycle : cycles) {
      for (const Link& link : cycle) {
        const auto found = literal_of.find({link.from, link.to});
        if (found != literal_of.end() && found->second != 0) solver.add(-found->second);
      }
      solver.add(0);
    }
    return !cycles.empty();
  }

  /// The writers of a key, with links between neighbours where the choice is an order, else between
  /// all.
  void add_choices(std::size_t k) {
    const OpenKey& key = orders.keys()[k];
    const std::size_t count = key.writers.size();
    std::vector<std::size_t> before(count, 0);
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = 0; b < count; ++b) before[b] += a != b && is_before(k, a, b) ? 1 : 0;
    }
    std::vector<std::size_t> by(count);
    std::iota(by.begin(), by.end(), 0U);
    std::sort(by.begin(), by.end(), [&](auto a, auto b) { return before[a] < before[b]; });
    bool is_order = true;
    for (std::size_t i = 0; i < count; ++i) is_order = is_order && before[by[i]] == i;
    if (is_order) {
      for (std::size_t i = 1; i < count; ++i) add_choice(k, by[i - 1], by[i]);
      return;
    }
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = 0; b < count; ++b) {
        if (a != b && is_before(k, a, b)) add_choice(k, a, b);
      }
    }
  }

  void add_choice(std::size_t k, std::size_t a, std::size_t b) {
    const std::size_t first = links.size();
    orders.add_pair(orders.keys()[k], a, b, links);
    const int choice = literal(k, a, b);
    for (std::size_t i = first; i < links.size() && choice != 0; ++i)
      of_link.emplace_back(i, choice);
  }

  const WriteOrders& orders;
  const WriteSaturation& saturation;
  Budget budget;
  Watch watch;
  CaDiCaL::Solver solver;
  std::vector<Pairs> pairs;
  std::vector<Link> links;
  std::vector<std::pair<std::size_t, int>> of_link;  // which links rest on which choice
};

OrderSolver::OrderSolver(const WriteOrders& orders, const WriteSaturation& saturation,
                         std::span<const std::uint32_t> position, std::uint64_t steps)
    : state_(std::make_unique<State>(orders, saturation, position, steps)) {}

OrderSolver::~OrderSolver() = default;

Answer OrderSolver::run() { return state_->run(); }

}  // namespace consistory
