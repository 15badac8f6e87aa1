#pragma once
// "Did you mean": the closest of the known names, for every place that meets an unknown one.

#include <string>
#include <string_view>
#include <vector>

namespace consistory {

/// Damerau-Levenshtein distance (optimal string alignment). O(|a|·|b|).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest known name within a third of its length (at least 2 edits); empty if none is near.
std::string closest(std::string_view unknown, const std::vector<std::string>& known);

/// `unknown fault "partitoin"; did you mean "partition"? (known: kill, partition, pause)`
std::string unknown_name(std::string_view kind, std::string_view unknown,
                         const std::vector<std::string>& known);

/// "a, b, c"
std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace consistory
