#pragma once
// Who fails PostgreSQL over: it has no failover of its own, so each node runs an operator beside
// the server, as an administrator's tool would. It starts the server; lets a standby follow the
// primary; promotes the first in line once a majority sees no primary; and rebuilds, from the
// primary that counts, whoever has gone another way.
//
// Primaries have terms: a promoted one's is one more than that of the log it had. The highest
// counts. Nothing fences an older primary off: until it sees the newer one both take updates, and
// what it acknowledged meanwhile is lost.

#include <string>

#include "harness/stores/store.h"

namespace consistory {

/// Of postgresql.auto.conf at a new primary.
constexpr const char* kFirstTerm = "consistory.term = '1'\n";

/// SQL: the term of a primary; 0 at a standby.
constexpr const char* kTermOfPrimary =
    "select case when pg_is_in_recovery() then 0 "
    "else coalesce(current_setting('consistory.term', true), '1')::int end";

/// A shell script that is the node: it ends when the server does. Standbys of a dead primary need
/// about 1 s to find out, of a silent one about 5 s.
std::string postgresql_operator(const NodeLayout& layout, const std::string& directory,
                                unsigned short port);

}  // namespace consistory
