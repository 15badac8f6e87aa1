#pragma once
// One completion and one resolution of a small history, in bit masks: what the oracle's definitions
// speak of. Operations are numbered by invocation, session order as MODELS §1.2 has it.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "checkers/history/history.h"

namespace consistory::oracle {

using Mask = std::uint64_t;
constexpr int kInit = -1;

inline Mask bit(int i) { return Mask{1} << i; }
template <class F>
void for_each(Mask mask, const F& f) {
  for (; mask != 0; mask &= mask - 1) f(__builtin_ctzll(mask));
}

struct Differentiated {
  const History* history = nullptr;
  std::vector<const Operation*> ops;
  std::vector<bool> reads;               ///< the convergence of values takes a cas as a blind write
  std::vector<std::vector<int>> source;  ///< of a reading op: register one (or kInit), list any
  std::vector<std::optional<std::int64_t>> version;  ///< of an update
  std::vector<Mask> so;                              ///< predecessors in session order
  std::vector<Mask> lower;                           ///< updates of the key with lower versions
  Mask updates = 0;
  Mask readers = 0;

  int size() const { return static_cast<int>(ops.size()); }
  const Operation& at(int i) const { return *ops[static_cast<std::size_t>(i)]; }
  bool is_list(int i) const { return history->is_list[at(i).key]; }
  Mask all() const { return size() == 64 ? ~Mask{0} : bit(size()) - 1; }
  Mask of_session(SessionId session) const {
    Mask mask = 0;
    for (int i = 0; i < size(); ++i) mask |= at(i).session == session ? bit(i) : 0;
    return mask;
  }
  std::vector<int> sources(int reader) const {
    const auto& all = source[static_cast<std::size_t>(reader)];
    if (!is_list(reader) && all[0] == kInit) return {};
    return all;
  }
};

/// Counts steps; false once there were too many.
struct Steps {
  std::uint64_t left = 0;
  bool spend() { return left > 0 && left-- > 0; }
};

struct Scope {
  std::vector<const Operation*>
      ops;  ///< those that take part, without failed ones and unknown reads
  bool blind_cas = false;
};

/// Calls visit for every completion and resolution until it returns true; that is then the answer.
/// None if the steps ran out first.
std::optional<bool> any_differentiated(const History& history, const Scope& scope, Steps& steps,
                                       const std::function<bool(const Differentiated&)>& visit);

}  // namespace consistory::oracle
