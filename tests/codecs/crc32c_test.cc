#include "codecs/crc32c.h"

#include <gtest/gtest.h>

#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

void expect_crc32c(ByteView message, std::uint32_t expected) {
  EXPECT_EQ(crc32c(message), expected) << message.size() << " bytes";
  EXPECT_EQ(crc32c_portable(message), expected) << message.size() << " bytes";
}

TEST(Crc32c, GivesThePublishedChecksums) {
  // RFC 3720, appendix B.4, which lists the bytes of each checksum in wire order.
  Bytes rising(32);
  Bytes falling(32);
  for (std::size_t i = 0; i < 32; ++i) {
    rising[i] = static_cast<Byte>(i);
    falling[i] = static_cast<Byte>(31 - i);
  }
  expect_crc32c(Bytes(32, Byte{0}), 0x8A9136AA);
  expect_crc32c(Bytes(32, Byte{0xFF}), 0x62A8AB43);
  expect_crc32c(rising, 0x46DD794E);
  expect_crc32c(falling, 0x113FDB5C);
  // The check value of CRC-32/ISCSI in the catalogue of parametrised CRC algorithms.
  expect_crc32c(as_bytes("123456789"), 0xE3069283);
  expect_crc32c({}, 0);
}

TEST(Crc32c, GivesTheSameForAnyPiecesAndBothWays) {
  const Bytes message = pseudo_random_bytes(10007, 3);
  const std::uint32_t whole = crc32c_portable(message);
  EXPECT_EQ(crc32c(message), whole);
  for (const std::size_t piece_bytes : {1U, 7U, 8U, 9U, 4096U}) {
    std::uint32_t sum = 0;
    std::uint32_t portable = 0;
    for (std::size_t at = 0; at < message.size(); at += piece_bytes) {
      const ByteView piece = ByteView(message).subspan(at, std::min(piece_bytes, message.size() - at));
      sum = crc32c(piece, sum);
      portable = crc32c_portable(piece, portable);
    }
    EXPECT_EQ(sum, whole) << piece_bytes;
    EXPECT_EQ(portable, whole) << piece_bytes;
  }
}

}  // namespace
}  // namespace drs
