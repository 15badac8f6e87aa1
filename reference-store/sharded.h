#pragma once
// A primary per key: as many logs as nodes, each with its own primary, and every key in one of
// them.

#include "reference-store/protocol.h"

namespace refstore {

std::unique_ptr<Protocol> make_per_key_primaries(const Config& config);

}  // namespace refstore
