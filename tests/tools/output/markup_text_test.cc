#include "tools/output/markup_text.h"

#include <gtest/gtest.h>

#include "tools/output/printable.h"

namespace drs {
namespace {

TEST(MarkupText, NoValueBecomesMarkup) {
  EXPECT_EQ(markup_value("<script>alert('1')</script> & \"x\""),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;");
}

TEST(MarkupText, ControlCharactersBidiMarksAndForeignBytesAreSpelledOut) {
  EXPECT_EQ(markup_value("a\nb\tc\x1b[0m\x7f"), "a\\nb\\tc\\x1b[0m\\x7f");
  EXPECT_EQ(markup_value("rtl\u202eexe"), "rtl\\u202eexe");
  EXPECT_EQ(markup_value("\xff\xc3("), "\\xff\\xc3(");
  EXPECT_EQ(markup_message("one\ntwo\x01"), "one\ntwo\\x01");
}

TEST(MarkupText, WhatXmlForbidsIsReplaced) {
  EXPECT_EQ(markup_value("a\xEF\xBF\xBE"
                         "b\xEF\xBF\xBF"
                         "c"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD"
            "c");
  EXPECT_EQ(markup_value("\xEF\xBF\xBD"), "\xEF\xBF\xBD");
}

TEST(MarkupText, LongValuesLoseTheirMiddleBetweenCharacters) {
  EXPECT_EQ(without_middle("short", 5), "short");
  EXPECT_EQ(without_middle("abcdefghijklmnop", 12), "abcdefgh… [16 bytes] …op");
  std::string umlauts;
  for (int i = 0; i < 4096; ++i) umlauts += "ä";
  for (std::size_t bytes_max = 20; bytes_max < 40; ++bytes_max)
    EXPECT_TRUE(is_utf8(without_middle(umlauts, bytes_max))) << bytes_max;
  EXPECT_LT(markup_value(umlauts).size(), kMarkupValueBytesMax + 64);
}

}  // namespace
}  // namespace drs
