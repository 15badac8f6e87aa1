#include "harness/sandbox/link_fate.h"

#include <algorithm>

namespace consistory {
namespace {

constexpr Nanos kQueueMax = kSecond;  // what would wait longer for a narrow link is lost

}  // namespace

/// Through the wire at its rate, then the delay; in the order of coming.
Nanos LinkFate::travel(Nanos now, std::size_t bytes) {
  Nanos due = now;
  if (quality_.total().bits_per_second > 0) {
    const auto bits = static_cast<double>(bytes) * 8;
    free_from_ =
        std::max(free_from_, now) +
        static_cast<Nanos>(bits / static_cast<double>(quality_.total().bits_per_second) * kSecond);
    due = free_from_;
  }
  due += quality_.total().delay;
  if (quality_.total().jitter > 0)
    due += static_cast<Nanos>(random_.unit() * static_cast<double>(quality_.total().jitter));
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
  const bool lost = happens(quality_.total().loss);
  if (lost || (quality_.total().bits_per_second > 0 && free_from_ - now > kQueueMax)) {
    counters_.lost += one;
    fate.copies = 0;
    return fate;
  }
  counters_.bytes_passed += one * bytes;
  if (happens(quality_.total().duplicate)) {
    counters_.duplicated += one;
    fate.copies = 2;
  }
  if (happens(quality_.total().corrupt)) fate.damage = PacketFate::Damage::noticed;
  else if (happens(quality_.total().corrupt_silently)) fate.damage = PacketFate::Damage::silent;
  if (fate.damage != PacketFate::Damage::none) {
    counters_.corrupted += one;
    fate.bit = random_.next();
  }
  const bool late = happens(quality_.total().reorder);
  const Nanos last_due = last_due_;
  fate.due = travel(now, bytes);
  if (late) {  // those behind it do not wait for it
    counters_.reordered += one;
    last_due_ = last_due;
    fate.due += quality_.total().reorder_by;
  }
  counters_.delayed += fate.due > now ? one : 0;
  return fate;
}

}  // namespace consistory
