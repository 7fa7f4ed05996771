#include "codecs/base64.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(Base64, GivesThePublishedTexts) {
  // RFC 4648, section 10.
  EXPECT_EQ(to_base64({}), "");
  EXPECT_EQ(to_base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(to_base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
}

TEST(Base64, ForUrlsHasNoPaddingAndNothingToEncode) {
  EXPECT_EQ(to_base64_url(as_bytes("f")), "Zg");
  EXPECT_EQ(to_base64(as_bytes("\xFB\xFF\xFE")), "+//+");
  EXPECT_EQ(to_base64_url(as_bytes("\xFB\xFF\xFE")), "-__-");
}

}  // namespace
}  // namespace drs
