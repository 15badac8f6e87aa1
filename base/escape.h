#pragma once
// The only ways by which text that a store, a history or a plugin sent may reach a person.
// All are total: any bytes go in, inert printable text comes out.

#include <cstddef>
#include <string>
#include <string_view>

namespace consistory {

/// For terminals and logs: control bytes, DEL, invalid UTF-8, bidirectional overrides and line
/// separators become \xNN or \u{NNNN}; so no escape sequence survives. O(n).
std::string escape_terminal(std::string_view text);

/// For HTML and SVG text and double-quoted attributes: escape_terminal, then & < > " '. O(n).
std::string escape_html(std::string_view text);

/// At most `limit` bytes of already escaped text, cut at a character, with an ellipsis if cut.
std::string shorten(std::string_view text, std::size_t limit);

}  // namespace consistory
