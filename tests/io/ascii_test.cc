#include "io/base/ascii.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(Ascii, ChangesTheCaseOfLettersAndOfNothingElse) {
  EXPECT_EQ(ascii_lower("AZaz @[`{09-_"), "azaz @[`{09-_");
  EXPECT_EQ(ascii_upper("AZaz @[`{09-_"), "AZAZ @[`{09-_");
  EXPECT_EQ(ascii_lower(""), "");
  EXPECT_EQ(ascii_upper(""), "");
}

TEST(Ascii, LeavesUtf8AndZeroBytes) {
  const std::string text("\xc3\x84\xc3\xa4\0\xff", 6);
  EXPECT_EQ(ascii_lower(text), text);
  EXPECT_EQ(ascii_upper(text), text);
}

TEST(Ascii, ConvertsEveryByteAsTheCLocaleDoes) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool capital = byte >= 0x41 && byte <= 0x5A;
    const bool small = byte >= 0x61 && byte <= 0x7A;
    EXPECT_EQ(ascii_lower(c), capital ? static_cast<char>(byte + 0x20) : c) << byte;
    EXPECT_EQ(ascii_upper(c), small ? static_cast<char>(byte - 0x20) : c) << byte;
  }
}

}  // namespace
}  // namespace drs
