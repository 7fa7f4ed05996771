#include "codecs/md5.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

std::string md5_hex(std::initializer_list<std::string_view> texts) {
  std::vector<ByteView> pieces;
  for (const std::string_view text : texts) pieces.push_back(as_bytes(text));
  const auto digest = md5(pieces);
  return digest ? to_hex(*digest) : "";
}

// RFC 1321, appendix A.5.
TEST(Md5, ComputesTheVectorsOfItsStandardHoweverTheyAreCut) {
  EXPECT_EQ(md5_hex({}), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_hex({"abc"}), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5_hex({"message", " ", "", "digest"}), "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace
}  // namespace drs
