// How long judging takes, by model and by number of operations. The histories are those of a store
// that is sequential but not linearizable (every session reads a prefix of one log), so that no
// stronger model that holds spares the work.
#include <benchmark/benchmark.h>

#include <string>

#include "base/random.h"
#include "checkers/history/builder.h"
#include "checkers/judge.h"

namespace consistory {
namespace {

constexpr std::size_t kSessions = 10;
constexpr std::size_t kKeys = 20;

History sequential_history(std::size_t operations) {
  Random random(7);
  HistoryBuilder builder;
  std::vector<std::pair<std::size_t, std::int64_t>> order;  // (key, value) in log order
  std::vector<std::size_t> seen(kSessions, 0);
  for (std::size_t i = 0; i < operations; ++i) {
    const std::size_t session = random.below(kSessions);
    const std::size_t key = random.below(kKeys);
    RawOperation raw;
    raw.session = std::to_string(session);
    raw.key = "k" + std::to_string(key);
    raw.invoke = static_cast<std::int64_t>(10 * i);
    raw.complete = raw.invoke + 9;
    if (random.chance(0.5)) {
      raw.function = Function::write;
      raw.value = Value::of(static_cast<std::int64_t>(i));
      order.emplace_back(key, i);
      seen[session] = order.size();
    } else {
      seen[session] += random.below(std::min<std::size_t>(order.size() - seen[session], 20) + 1);
      for (std::size_t at = seen[session]; at-- > 0;) {
        if (order[at].first != key) continue;
        raw.value = Value::of(order[at].second);
        break;
      }
    }
    builder.add(std::move(raw));
  }
  return *std::move(builder).finish();
}

void judge_model(benchmark::State& state, const Model& model) {
  const History history = sequential_history(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    Budget budget(kDefaultCheckSteps);
    const Verdict verdict = model.judge(history, budget).verdict;
    state.SetLabel(std::string(name_of(verdict)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void register_benchmarks() {
  for (const Model& model : all_models()) {
    benchmark::RegisterBenchmark(std::string(model.name).c_str(),
                                 [&model](benchmark::State& state) { judge_model(state, model); })
        ->Arg(1'000)
        ->Arg(10'000)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace consistory

int main(int argc, char** argv) {
  consistory::register_benchmarks();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
