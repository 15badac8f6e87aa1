#include "checkers/fast/refutation.h"

#include <map>
#include <mutex>

#include "base/parallel.h"

namespace consistory {
namespace {

constexpr Point kWorthThreads = 20'000;

}  // namespace

Finding first_refuted(
    const Trace& trace, std::size_t parts,
    const std::function<std::vector<Point>(std::size_t part, std::size_t worker)>& refute) {
  if (trace.size() < kWorthThreads) {
    for (std::size_t part = 0; part < parts; ++part) {
      std::vector<Point> seed = refute(part, 0);
      if (!seed.empty()) return Finding::violated(std::move(seed));
    }
    return Finding::holds();
  }
  std::mutex mutex;
  std::map<std::size_t, std::vector<Point>> seeds;
  const auto is_late = [&](std::size_t part) {
    const std::lock_guard lock(mutex);
    return !seeds.empty() && seeds.begin()->first < part;
  };
  in_parallel(parts, [&](std::size_t part, std::size_t worker) {
    if (is_late(part)) return;
    std::vector<Point> seed = refute(part, worker);
    if (seed.empty()) return;
    const std::lock_guard lock(mutex);
    seeds.emplace(part, std::move(seed));
  });
  if (seeds.empty()) return Finding::holds();
  return Finding::violated(std::move(seeds.begin()->second));
}

}  // namespace consistory
