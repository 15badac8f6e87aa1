#include "harness/sandbox/link_fate.h"

#include <algorithm>

namespace consistory {
namespace {

constexpr Nanos kQueueMax = kSecond;  // what would wait longer for a narrow link is lost

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

void LinkFate::impose(const LinkQuality& quality) {
  imposed_.push_back(quality);
  combine();
}

void LinkFate::lift(const LinkQuality& quality) {
  const auto found = std::find_if(imposed_.begin(), imposed_.end(),
                                  [&](const LinkQuality& one) { return same(one, quality); });
  if (found != imposed_.end()) imposed_.erase(found);
  combine();
}

void LinkFate::combine() {
  quality_ = {};
  for (const LinkQuality& one : imposed_) quality_ = both(quality_, one);
}

/// Through the wire at its rate, then the delay; in the order of coming.
Nanos LinkFate::travel(Nanos now, std::size_t bytes) {
  Nanos due = now;
  if (quality_.bits_per_second > 0) {
    const auto bits = static_cast<double>(bytes) * 8;
    free_from_ = std::max(free_from_, now) +
                 static_cast<Nanos>(bits / static_cast<double>(quality_.bits_per_second) * kSecond);
    due = free_from_;
  }
  due += quality_.delay;
  if (quality_.jitter > 0)
    due += static_cast<Nanos>(random_.unit() * static_cast<double>(quality_.jitter));
  return last_due_ = std::max(due, last_due_);
}

PacketFate LinkFate::next(std::size_t bytes, Nanos now, bool counts) {
  const std::uint64_t one = counts ? 1 : 0;
  const auto happens = [&](double share) { return share > 0 && random_.chance(share); };
  PacketFate fate{1, now, PacketFate::Damage::none, 0};
  counters_.packets += one;
  if (cuts_ > 0) {
    counters_.packets_cut += one;
    counters_.bytes_held += one * bytes;
    fate.copies = 0;
    return fate;
  }
  const bool lost = happens(quality_.loss);
  if (lost || (quality_.bits_per_second > 0 && free_from_ - now > kQueueMax)) {
    counters_.lost += one;
    fate.copies = 0;
    return fate;
  }
  counters_.bytes_passed += one * bytes;
  if (happens(quality_.duplicate)) {
    counters_.duplicated += one;
    fate.copies = 2;
  }
  if (happens(quality_.corrupt)) fate.damage = PacketFate::Damage::noticed;
  else if (happens(quality_.corrupt_silently)) fate.damage = PacketFate::Damage::silent;
  if (fate.damage != PacketFate::Damage::none) {
    counters_.corrupted += one;
    fate.bit = random_.next();
  }
  const bool late = happens(quality_.reorder);
  const Nanos last_due = last_due_;
  fate.due = travel(now, bytes);
  if (late) {  // those behind it do not wait for it
    counters_.reordered += one;
    last_due_ = last_due;
    fate.due += quality_.reorder_by;
  }
  counters_.delayed += fate.due > now ? one : 0;
  return fate;
}

}  // namespace consistory
