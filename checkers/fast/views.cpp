#include "checkers/fast/views.h"

#include <algorithm>

#include "checkers/fast/session_view.h"

namespace consistory {
namespace {

bool forks(const Trace& trace) {
  for (Point point = trace.first_info(); point < trace.size(); ++point) {
    if (trace.reads(point)) return true;
  }
  return false;
}

}  // namespace

Finding decide_views(const Trace& trace, const Visibility* base) {
  if (forks(trace)) return Finding::declined();
  const ViewGround ground(trace, base);
  ViewScratch scratch(trace);
  for (Chain session = 0; session < trace.chains(); ++session) {
    std::vector<Point> seed = SessionView(ground, session, scratch).refute();
    if (!seed.empty()) return Finding::violated(std::move(seed));
  }
  return Finding::holds();
}

}  // namespace consistory
