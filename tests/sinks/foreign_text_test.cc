#include "sinks/foreign_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(ForeignText, KeepsPlainText) {
  EXPECT_EQ(foreign_text("Access Denied (403)!", 100), "Access Denied (403)!");
}

TEST(ForeignText, IsOneLineOfPrintableAscii) {
  EXPECT_EQ(foreign_text(" a\r\n\t b \x1B[31m\x7F\xC3\xA9 ", 100), "a b ?[31m???");
  EXPECT_EQ(foreign_text(std::string_view("\0", 1), 100), "?");
}

TEST(ForeignText, IsCutWhereItIsTooLong) {
  EXPECT_EQ(foreign_text("12345678", 8), "12345678");
  EXPECT_EQ(foreign_text("123456789", 8), "12345...");
  EXPECT_EQ(foreign_text("", 8), "");
}

}  // namespace
}  // namespace drs
