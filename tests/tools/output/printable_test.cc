#include "tools/output/printable.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/output/output.h"

namespace drs {
namespace {

TEST(Printable, KeepsOrdinaryTextOfAnyLanguage) {
  const std::string text = "pg/app é 数据库 😀 — 1\t2\n3\n";
  EXPECT_EQ(printable_lines(text), text);
  EXPECT_EQ(printable_value("é 数"), "é 数");
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable_lines("a\x1b[2Kb\rc\bd\x7f"), "a\\x1b[2Kb\\rc\\x08d\\x7f");
  EXPECT_EQ(printable_lines("\xc2\x9b"
                            "31m"),
            "\\x9b31m");  // C1: the one-byte CSI
  EXPECT_EQ(printable_lines("a\xe2\x80\xae"
                            "b\xe2\x81\xa6"),
            "a\\u202eb\\u2066");  // right to left, isolate
  EXPECT_EQ(printable_lines(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable_lines("\xff\x9b"), "\\xff\\x9b");
  EXPECT_EQ(printable_lines("\xc0\x9b"), "\\xc0\\x9b");           // overlong
  EXPECT_EQ(printable_lines("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable_lines("\xe2\x80"), "\\xe2\\x80");           // cut
  EXPECT_EQ(printable_lines("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(Printable, WhatACommandSaysKeepsItsCarriageReturns) {
  EXPECT_EQ(printable_speech("10 %\r20 %\n\tgrün\x1b[2J\x07"), "10 %\r20 %\n\tgrün\\x1b[2J\\x07");
}

TEST(Printable, AValueIsOneLine) {
  EXPECT_EQ(printable_value("x\nno damage found\t!"), "x\\nno damage found\\t!");
}

TEST(Printable, NoQuotedLineBeginsALine) {
  EXPECT_EQ(printable_message("it said\nno damage found\n"), "it said\n    no damage found");
}

TEST(Printable, EveryByteAndPairComesOutHarmlessAndAsUtf8) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b)};
      const std::string shown = printable_value(text);
      for (const char c : shown) EXPECT_FALSE((c >= 0 && c < 0x20) || c == 0x7f) << a << " " << b;
      EXPECT_NO_THROW(static_cast<void>(nlohmann::json(shown).dump())) << a << " " << b;
      EXPECT_EQ(printable_value(shown), shown);
    }
  }
}

TEST(Printable, JsonMeansTheSameAndHoldsNoControlCharacter) {
  const std::string hostile = "a\x1b[2K\n\xc2\x9b\xe2\x80\xae\x7f\"\\";
  const std::string text = dump_json(nlohmann::ordered_json{{"stream", hostile}}, JsonLayout::kIndented);
  EXPECT_EQ(nlohmann::json::parse(text)["stream"], hostile);
  EXPECT_EQ(text.find('\x7f'), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
}

constexpr const char* kHidden = "(64 hex digits, not shown)";

TEST(KeyDigits, EveryRunOf64OrMoreHexDigitsIsHidden) {
  const std::string key = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD";
  ASSERT_EQ(key.size(), 64U);
  EXPECT_EQ(hide_key_digits(key), kHidden);
  EXPECT_EQ(hide_key_digits("cannot open '" + key + "': gone, " + key + "\n"),
            std::string("cannot open '") + kHidden + "': gone, " + kHidden + "\n");
  EXPECT_EQ(hide_key_digits(key + "0"), kHidden);
  EXPECT_TRUE(has_key_digits("/etc/" + key));
}

TEST(KeyDigits, NamesOfObjectsStayAsTheyAre) {
  const std::string digest = "3f" + std::string(62, 'a');
  for (const std::string& text : {"packs/3f/" + digest + " has 5 bytes", "index/" + digest + ": damaged",
                                  "damaged/" + digest + "-00", "/srv/drs/packs/3f/" + digest})
    EXPECT_EQ(hide_key_digits(text), text);
  for (const std::string& text : {"packs/3e/" + digest, "packs/" + digest, "packs/3f/" + digest + "0"})
    EXPECT_NE(hide_key_digits(text), text);
}

TEST(UrlCredentials, AreHiddenInFrontOfABucketAndNowhereElse) {
  EXPECT_EQ(hide_url_credentials("s3://AKIA:wJal+x/K7@bucket/prefix"), "s3://[credentials]@bucket/prefix");
  EXPECT_EQ(hide_url_credentials("https://user:a@b@host"), "https://[credentials]@host");
  for (const char* const text : {"s3://bucket/a:b@c", "/srv/a:b@c", "gs://bucket/prefix", "me@host", "s3://", "://:"})
    EXPECT_EQ(hide_url_credentials(text), text);
}

TEST(KeyDigits, OtherTextStaysAsItIs) {
  for (const std::string& text : {std::string(), std::string("face the facts"), std::string(63, 'f'),
                                  std::string(63, 'f') + "g" + std::string(63, '0')}) {
    EXPECT_EQ(hide_key_digits(text), text);
    EXPECT_FALSE(has_key_digits(text));
  }
}

}  // namespace
}  // namespace drs
