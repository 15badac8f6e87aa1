#include "base/limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>

namespace consistory {
namespace {

constexpr Nanos kNoDeadline = TimeLimit::kNone;
constexpr std::uint64_t kBytesMin = std::uint64_t{1} << 20;

std::atomic<Nanos> deadline_ns = kNoDeadline;

}  // namespace

TimeLimit::TimeLimit(Nanos span) : outer_(deadline_ns.load()) {
  if (span != kNone)
    deadline_ns.store(std::min(outer_, monotonic_now() + std::max<Nanos>(span, 0)));
}

TimeLimit::~TimeLimit() { deadline_ns.store(outer_); }

void check_time() {
  const Nanos deadline = deadline_ns.load(std::memory_order_relaxed);
  if (deadline != kNoDeadline && monotonic_now() >= deadline) throw OutOfTime();
}

Status limit_memory(std::uint64_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) == 0) {
    limit.rlim_cur = std::min<rlim_t>(bytes, limit.rlim_max);
    if (setrlimit(RLIMIT_DATA, &limit) == 0) return Done{};
  }
  return environment_error(
      fmt::format("the memory limit of {} bytes cannot be set: {}", bytes, std::strerror(errno)));
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const auto refuse = [&] {
    return usage_error(fmt::format(
        "'{}' is no amount of memory: a whole number with k, M or G, as in 500M, 1M at least",
        text));
  };
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return refuse();
  const std::string_view unit(rest, text.data() + text.size());
  const int shift = unit.empty() ? 0 : unit == "k" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (shift < 0 || number > (std::numeric_limits<std::uint64_t>::max() >> shift)) return refuse();
  if ((number << shift) < kBytesMin) return refuse();
  return number << shift;
}

}  // namespace consistory
