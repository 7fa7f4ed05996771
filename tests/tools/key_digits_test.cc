#include "tools/key_digits.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

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

TEST(KeyDigits, OtherTextStaysAsItIs) {
  for (const std::string& text : {std::string(), std::string("face the facts"), std::string(63, 'f'),
                                  std::string(63, 'f') + "g" + std::string(63, '0')}) {
    EXPECT_EQ(hide_key_digits(text), text);
    EXPECT_FALSE(has_key_digits(text));
  }
}

}  // namespace
}  // namespace drs
