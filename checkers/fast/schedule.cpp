#include "checkers/fast/schedule.h"

namespace consistory {

Schedule::Schedule(const Trace& trace) : trace_(trace), left_(trace.size()) {
  const std::size_t lanes = trace.chains() + (trace.size() - trace.first_info());
  cursor_.assign(lanes, 0);
  waits_for_.assign(lanes, kNoPoint);
  asked_.assign(lanes, 0);
  first_waiter_.assign(lanes, kNoLane);
  next_waiter_.assign(lanes, kNoLane);
  for (std::size_t lane = lanes; lane-- > 0;) ready_.push_back(static_cast<std::uint32_t>(lane));
}

void Schedule::wait(std::uint32_t lane, Point blocker) {
  std::uint32_t& first = first_waiter_[lane_of(blocker)];
  next_waiter_[lane] = first;
  first = lane;
}

void Schedule::wake(std::uint32_t lane) {
  std::uint32_t* link = &first_waiter_[lane];
  while (*link != kNoLane) {
    const std::uint32_t waiter = *link;
    if (ran(waits_for_[waiter])) {
      *link = next_waiter_[waiter];
      ready_.push_back(waiter);
    } else {
      link = &next_waiter_[waiter];
    }
  }
}

// Every stuck lane waits for a point of another stuck lane, or of its own, and for one only: so
// from each of them the way leads into one cycle.
std::vector<Schedule::Wait> Schedule::cycle() const {
  constexpr std::uint32_t kNew = UINT32_MAX;
  std::vector<std::uint32_t> walk(cursor_.size(), kNew);
  std::vector<Wait> shortest;
  for (std::uint32_t start = 0; start < cursor_.size(); ++start) {
    std::uint32_t lane = start;
    while (cursor_[lane] < length(lane) && walk[lane] == kNew) {
      walk[lane] = start;
      lane = lane_of(waits_for_[lane]);
    }
    if (cursor_[lane] == length(lane) || walk[lane] != start) continue;
    std::vector<Wait> cycle;
    const std::uint32_t first = lane;
    do {
      cycle.push_back({point_at(lane, cursor_[lane]), waits_for_[lane]});
      lane = lane_of(waits_for_[lane]);
    } while (lane != first);
    if (shortest.empty() || cycle.size() < shortest.size()) shortest = std::move(cycle);
  }
  return shortest;
}

}  // namespace consistory
