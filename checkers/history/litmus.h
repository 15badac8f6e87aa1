#pragma once
// The litmus format (DESIGN §4.3): one JSON object a line is one whole history, with explicit
// stamps and, in the suite, every model's expected verdict.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "checkers/history/history.h"

namespace consistory {

struct LitmusCase {
  std::string id;
  std::string description;
  History history;
  /// "expect" as it stands: oracle column -> valid | invalid | na. Empty where there is none.
  std::map<std::string, std::string> expect;
  std::map<std::string, std::string> expect_split;  ///< "sticky": per (client, node) sessions
  std::vector<std::string> expect_violated_sets;    ///< "sg_min_violated"
};

/// `place` is "file:line".
Result<LitmusCase> parse_litmus_line(std::string_view line, const std::string& place);

}  // namespace consistory
