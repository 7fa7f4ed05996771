#include "codecs/hkdf.h"

#include <gtest/gtest.h>

#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

Bytes consecutive_bytes(Byte first, std::size_t count) {
  Bytes out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Byte>(first + i);
  return out;
}

std::string hkdf_hex(ByteView key, ByteView salt, ByteView info, std::size_t out_bytes) {
  Bytes out(out_bytes);
  hkdf_sha256(key, salt, info, out);
  return to_hex(out);
}

// RFC 5869, appendix A, test cases 1 to 3.
TEST(Hkdf, GivesThePublishedKeys) {
  EXPECT_EQ(hkdf_hex(Bytes(22, 0x0B), consecutive_bytes(0x00, 13), consecutive_bytes(0xF0, 10), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hkdf_hex(consecutive_bytes(0x00, 80), consecutive_bytes(0x60, 80), consecutive_bytes(0xB0, 80), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c"
            "2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(hkdf_hex(Bytes(22, 0x0B), {}, {}, 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, TakesAnEmptySaltAsZeros) {
  EXPECT_EQ(hkdf_hex(Bytes(32, 1), {}, as_bytes("label"), 32),
            hkdf_hex(Bytes(32, 1), Bytes(32, 0), as_bytes("label"), 32));
}

TEST(Hkdf, GivesAPrefixOfALongerOutput) {
  const std::string longest = hkdf_hex(Bytes(32, 1), {}, as_bytes("label"), kHkdfOutputBytesMax);
  EXPECT_EQ(hkdf_hex(Bytes(32, 1), {}, as_bytes("label"), 33), longest.substr(0, 66));
}

TEST(Hkdf, TakesTheLongestLabel) {
  EXPECT_NE(hkdf_hex(Bytes(32, 1), {}, Bytes(kHkdfInfoBytesMax, 'x'), 32),
            hkdf_hex(Bytes(32, 1), {}, Bytes(kHkdfInfoBytesMax - 1, 'x'), 32));
}

}  // namespace
}  // namespace drs
