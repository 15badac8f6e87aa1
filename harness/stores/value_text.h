#pragma once
// Values as text, for stores that hold strings: as JSON, so that 7 and "7" stay apart. What comes
// back and is no JSON was not written by us: it is taken as the string that it is.

#include <string>
#include <string_view>
#include <vector>

#include "checkers/history/value.h"

namespace consistory {

std::string text_of(const Value& value);
Value value_of_text(std::string_view text);
/// Of a list that appending made: every element's text followed by a comma.
std::vector<Value> elements_of_text(std::string_view text);

std::string base64_of(std::string_view bytes);
/// What is no base64 ends the text.
std::string from_base64(std::string_view text);

}  // namespace consistory
