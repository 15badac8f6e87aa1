#include "base/escape.h"

#include <gtest/gtest.h>

namespace consistory {
namespace {

TEST(EscapeTerminal, LeavesPlainTextAndUnicodeAlone) {
  EXPECT_EQ(escape_terminal("k7 = größe"), "k7 = größe");
}

TEST(EscapeTerminal, DisarmsControlBytesOverridesAndBrokenUtf8) {
  EXPECT_EQ(escape_terminal("\x1b[31mred\n"), "\\x1b[31mred\\x0a");
  EXPECT_EQ(escape_terminal("a\u202eb"), "a\\u{202e}b");
  EXPECT_EQ(escape_terminal("\xff\xc0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(escape_terminal(std::string_view("\0", 1)), "\\x00");
}

TEST(EscapeHtml, LeavesNoMarkup) {
  EXPECT_EQ(escape_html("</script><img onerror='x\"'>&"),
            "&lt;/script&gt;&lt;img onerror=&#39;x&quot;&#39;&gt;&amp;");
}

TEST(Shorten, CutsAtACharacter) {
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("aé", 2), "a…");
}

}  // namespace
}  // namespace consistory
