#include "checkers/fast/views.h"

#include <memory>

#include "base/parallel.h"
#include "checkers/fast/refutation.h"
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
  std::vector<std::unique_ptr<ViewScratch>> scratch(worker_count());
  return first_refuted(trace, trace.chains(), [&](std::size_t session, std::size_t worker) {
    if (!scratch[worker]) scratch[worker] = std::make_unique<ViewScratch>(trace);
    return SessionView(ground, static_cast<Chain>(session), *scratch[worker]).refute();
  });
}

}  // namespace consistory
