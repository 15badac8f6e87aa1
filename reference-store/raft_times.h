#pragma once
// Raft's times, which its parts share, in ms. A lease is shorter than any election, and some.

#include "reference-store/config.h"

namespace refstore {

constexpr Millis kElectionMin = 300;
constexpr Millis kElectionSpread = 300;
constexpr Millis kHeartbeatEvery = 60;
constexpr Millis kLease = 200;

}  // namespace refstore
