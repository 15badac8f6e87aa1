#pragma once
// Who fails PostgreSQL over: it has no failover of its own, so each node runs an operator beside
// the server, as an administrator's tool would. It starts the server; promotes a standby that a
// majority finds to be the first in line once nobody sees the primary; lets standbys follow; and
// rebuilds a primary that finds a newer one. Nothing fences the old primary off: until the two see
// each other both take updates, and what the old one acknowledged meanwhile is lost.

#include <string>

#include "harness/stores/store.h"

namespace consistory {

/// A shell script that is the node: it ends when the server does. Standbys of a dead primary need
/// about 1 s to find out, of a silent one about 5 s.
std::string postgresql_operator(const NodeLayout& layout, const std::string& directory,
                                unsigned short port);

}  // namespace consistory
