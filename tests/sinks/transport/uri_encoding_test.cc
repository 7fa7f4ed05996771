#include "sinks/transport/uri_encoding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drs {
namespace {

TEST(UriEncoding, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(uri_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(uri_encode("a b/c+d=e&f%g*"), "a%20b%2Fc%2Bd%3De%26f%25g%2A");
  EXPECT_EQ(uri_encode("\xC3\xA9"), "%C3%A9");
  EXPECT_EQ(uri_encode(std::string_view("\0\xFF", 2)), "%00%FF");
}

TEST(UriEncoding, APathKeepsItsSlashesAndIsNotNormalised) {
  EXPECT_EQ(uri_encode_path("/a//b/../c d"), "/a//b/../c%20d");
}

TEST(UriEncoding, AQueryIsSortedAfterEncoding) {
  // '[' comes after 'A', but "%5B" before it.
  EXPECT_EQ(uri_encode_query({{"[", "1"}, {"A", "2"}, {"A", "1"}, {"~", ""}}), "%5B=1&A=1&A=2&~=");
  EXPECT_EQ(uri_encode_query({}), "");
}

TEST(UriEncoding, DecodesWhatS3Writes) {
  EXPECT_EQ(uri_decode("a+b%2Bc%2f%20"), "a b+c/ ");
  EXPECT_EQ(uri_decode(""), "");
}

TEST(UriEncoding, RefusesAPercentWithoutTwoHexDigits) {
  EXPECT_FALSE(uri_decode("%"));
  EXPECT_FALSE(uri_decode("a%2"));
  EXPECT_FALSE(uri_decode("%zz"));
}

RC_GTEST_PROP(UriEncoding, DecodingIsTheInverseOfEncoding, (const std::string& text)) {
  RC_ASSERT(uri_decode(uri_encode(text)) == text);
  RC_ASSERT(uri_decode(uri_encode_path(text)) == text);
}

}  // namespace
}  // namespace drs
