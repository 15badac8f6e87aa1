#pragma once
// LinkFate: what happens to each packet of one directed link, drawn from the run's seed. The same
// seed gives the same sequence of packets the same fates; time only decides when they come true.

#include <cstdint>
#include "base/random.h"
#include "nemesis/imposed_quality.h"

namespace consistory {

/// Times are monotonic nanoseconds.
struct PacketFate {
  enum class Damage : std::uint8_t { none, noticed, silent };

  int copies = 1;  ///< 0: it is lost
  Nanos due = 0;   ///< when it goes on
  Damage damage = Damage::none;
  std::uint64_t bit = 0;  ///< which bit of its payload is flipped, modulo their number
};

/// Not thread-safe.
class LinkFate {
 public:
  explicit LinkFate(Random random) : random_(random) {}

  void cut() { ++cuts_; }
  void heal() { cuts_ -= cuts_ > 0 ? 1 : 0; }
  void impose(const LinkQuality& quality) { quality_.impose(quality); }
  void lift(const LinkQuality& quality) { quality_.lift(quality); }
  const LinkCounters& counters() const { return counters_; }

  /// Of the next packet, of `bytes` bytes, that comes at `now`. `counts`: it is of the store's own
  /// traffic.
  PacketFate next(std::size_t bytes, Nanos now, bool counts);

 private:
  Nanos travel(Nanos now, std::size_t bytes);

  int cuts_ = 0;
  ImposedQuality quality_;
  LinkCounters counters_;
  Random random_;
  Nanos last_due_ = 0;   ///< nothing overtakes, unless it is drawn to
  Nanos free_from_ = 0;  ///< when the wire has sent what came before
};

}  // namespace consistory
