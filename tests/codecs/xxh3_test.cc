#include "codecs/xxh3.h"

#include <gtest/gtest.h>

#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

// The input of xxHash's own self-test: cli/xsum_sanity_check.c, XSUM_fillTestBuffer.
Bytes sanity_buffer(std::size_t count) {
  Bytes out(count);
  std::uint64_t generator = 2654435761U;
  for (Byte& b : out) {
    b = static_cast<Byte>(generator >> 56);
    generator *= 11400714785074694797U;
  }
  return out;
}

struct Vector {
  std::size_t message_bytes;
  std::uint64_t low64;
  std::uint64_t high64;
};

// xxHash 0.8, cli/xsum_sanity_check.c, XSUM_XXH128_testdata with seed 0: one for each path by length.
const Vector kVectors[] = {
    {0, 0x6001C324468D497F, 0x99AA06D3014798D8},    {1, 0xC44BDFF4074EECDB, 0xA6CD5E9392000F6A},
    {6, 0x3E7039BDDA43CFC6, 0x082AFE0B8162D12A},    {12, 0x061A192713F69AD9, 0x6E3EFD8FC7802B18},
    {24, 0x1E7044D28B1B901D, 0x0CE966E4678D3761},   {48, 0xF942219AED80F67B, 0xA002AC4E5478227E},
    {81, 0x5E8BAFB9F95FB803, 0x4952F58181AB0042},   {222, 0xF1AEBD597CEC6B3A, 0x337E09641B948717},
    {403, 0xCDEB804D65C6DEA4, 0x1B6DE21E332DD73D},  {512, 0x617E49599013CB6B, 0x18D2D110DCC9BCA1},
    {2048, 0xDD59E2C3A5F038E0, 0xF736557FD47073A5}, {2240, 0x6E73A90539CF2948, 0xCCB134FBFA7CE49D},
    {2367, 0xCB37AEB9E5D361ED, 0xE89C0F6FF369B427},
};

TEST(Xxh3, GivesThePublishedDigestsInStoredForm) {
  for (const Vector& vector : kVectors) {
    Bytes stored;
    ByteWriter writer(stored);
    writer.u64(vector.low64);
    writer.u64(vector.high64);
    EXPECT_EQ(xxh3_128(sanity_buffer(vector.message_bytes)).hex(), to_hex(stored)) << vector.message_bytes;
  }
}

TEST(Xxh3, StoresTheCanonicalFormReversed) {
  // `printf '' | xxhsum -H2` prints 99aa06d3014798d86001c324468d497f.
  EXPECT_EQ(xxh3_128({}).hex(), "7f498d4624c30160d8984701d306aa99");
}

TEST(Xxh3, GivesTheSameDigestForAnyPieces) {
  const Bytes message = pseudo_random_bytes(10000, 2);
  for (const std::size_t piece_bytes : {1U, 63U, 240U, 241U, 1024U, 4096U, 10000U}) {
    Xxh3Stream hash;
    for (std::size_t at = 0; at < message.size(); at += piece_bytes) {
      hash.update(ByteView(message).subspan(at, std::min(piece_bytes, message.size() - at)));
    }
    EXPECT_EQ(hash.finish(), xxh3_128(message)) << piece_bytes;
  }
}

TEST(Xxh3, GoesOnAfterFinishAndStartsOverAfterReset) {
  Xxh3Stream hash;
  hash.update(as_bytes("ab"));
  EXPECT_EQ(hash.finish(), xxh3_128(as_bytes("ab")));
  hash.update({});
  hash.update(as_bytes("c"));
  EXPECT_EQ(hash.finish(), xxh3_128(as_bytes("abc")));
  hash.reset();
  EXPECT_EQ(hash.finish(), xxh3_128({}));
}

}  // namespace
}  // namespace drs
