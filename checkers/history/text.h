#pragma once
// The small language in which tests write histories; operation_text() prints it back.
//
//   A write x 1 @n1          one operation a statement (";" or a new line between statements),
//   B read x -> 1            in real-time order, none overlapping
//   B read l -> [1 2]        a list
//   A cas x 1 2              a swap;  "-> no" or "-> no 7": a definite mismatch (that saw 7)
//   A append l 3 ?           "?" indeterminate, "!" failed
//   A delete x  [3,9]        [invoke,complete]: explicit stamps where operations overlap
//   F read x -> nil final    also: local, ver=3, @node
//   nodes n1 n2              the replica set;  "unsettled": work was in flight at the final reads

#include <string_view>

#include "base/result.h"
#include "checkers/history/history.h"

namespace consistory {

Result<History> parse_history_text(std::string_view text);

}  // namespace consistory
