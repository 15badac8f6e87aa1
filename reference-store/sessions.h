#pragma once
// Session guarantees as a layer (Terry et al. 1994): clients carry what they read and what they
// wrote, and a node serves them only once it holds what the guarantees ask for.

#include "reference-store/protocol.h"

namespace refstore {

/// `config.session` names the guarantees that are switched on; any of mr, mw, ryw, wfr.
std::unique_ptr<Protocol> make_sessions(const Config& config, std::unique_ptr<Protocol> inner);

}  // namespace refstore
