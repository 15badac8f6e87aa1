#include "nemesis/imposed_quality.h"

#include <algorithm>

namespace consistory {
namespace {

/// The chance that at least one of two independent things happens.
double either(double a, double b) { return 1 - (1 - a) * (1 - b); }

bool same(const LinkQuality& a, const LinkQuality& b) {
  return a.delay == b.delay && a.jitter == b.jitter && a.loss == b.loss &&
         a.duplicate == b.duplicate && a.reorder == b.reorder && a.reorder_by == b.reorder_by &&
         a.corrupt == b.corrupt && a.corrupt_silently == b.corrupt_silently &&
         a.bits_per_second == b.bits_per_second;
}

LinkQuality both(LinkQuality a, const LinkQuality& b) {
  a.delay += b.delay;
  a.jitter += b.jitter;
  a.loss = either(a.loss, b.loss);
  a.duplicate = either(a.duplicate, b.duplicate);
  a.reorder = either(a.reorder, b.reorder);
  a.reorder_by = std::max(a.reorder_by, b.reorder_by);
  a.corrupt = either(a.corrupt, b.corrupt);
  a.corrupt_silently = either(a.corrupt_silently, b.corrupt_silently);
  if (a.bits_per_second == 0) a.bits_per_second = b.bits_per_second;
  else if (b.bits_per_second > 0)
    a.bits_per_second = std::min(a.bits_per_second, b.bits_per_second);
  return a;
}

}  // namespace

void ImposedQuality::impose(const LinkQuality& quality) {
  imposed_.push_back(quality);
  combine();
}

void ImposedQuality::lift(const LinkQuality& quality) {
  const auto found = std::find_if(imposed_.begin(), imposed_.end(),
                                  [&](const LinkQuality& one) { return same(one, quality); });
  if (found != imposed_.end()) imposed_.erase(found);
  combine();
}

void ImposedQuality::combine() {
  total_ = {};
  for (const LinkQuality& one : imposed_) total_ = both(total_, one);
}

}  // namespace consistory
