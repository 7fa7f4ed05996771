#include "codecs/chunk_hasher.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "codecs/hmac_sha256.h"
#include "tests/codecs/test_backends.h"
#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

class ChunkHasherTest : public testing::TestWithParam<CryptoBackend> {};

Digest hash_one(ChunkHasher& hasher, ByteView message) {
  Digest id;
  hasher.hash({&message, 1}, {&id, 1});
  return id;
}

// RFC 4231, cases 1, 2 and 4, with keys zero-padded to 32 bytes: HMAC pads keys the same way (RFC 2104).
TEST_P(ChunkHasherTest, GivesThePublishedMacs) {
  const auto padded = [](Bytes key) {
    key.resize(32);
    return key;
  };
  ChunkHasher first(padded(Bytes(20, 0x0B)), GetParam());
  EXPECT_EQ(hash_one(first, as_bytes("Hi There")).hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  ChunkHasher second(padded(bytes_of("Jefe")), GetParam());
  EXPECT_EQ(hash_one(second, as_bytes("what do ya want for nothing?")).hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  ChunkHasher fourth(padded(bytes_from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819")), GetParam());
  EXPECT_EQ(hash_one(fourth, Bytes(50, 0xCD)).hex(),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

TEST_P(ChunkHasherTest, TakesNoMessagesAtAll) {
  ChunkHasher(Bytes(32), GetParam()).hash({}, {});
}

TEST_P(ChunkHasherTest, HashesMessagesAroundTheLengthLimitAndEmptyOnes) {
  const Bytes key = pseudo_random_bytes(32, 3);
  const Bytes bytes = pseudo_random_bytes(200000, 4);
  std::vector<ByteView> messages;
  for (const std::size_t message_bytes :
       {0U, 1U, 55U, 56U, 63U, 64U, 65U, 119U, 65533U, 65534U, 65535U, 65536U, 200000U}) {
    messages.push_back(ByteView(bytes).first(message_bytes));
  }
  ChunkHasher hasher(key, GetParam());
  std::vector<Digest> ids(messages.size());
  hasher.hash(messages, ids);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(ids[i], hmac_sha256(key, messages[i])) << messages[i].size();
  }
}

TEST_P(ChunkHasherTest, AgreesWithOneAtATimeForAnyLengthsAndCounts) {
  const Bytes bytes = pseudo_random_bytes(70000, 5);
  EXPECT_TRUE(rc::check([&] {
    const Bytes key = pseudo_random_bytes(32, *rc::gen::arbitrary<std::uint64_t>());
    ChunkHasher hasher(key, GetParam());
    // Two calls, since a call must leave no state behind; up to 300 messages, since a burst has 128.
    for (int call = 0; call < 2; ++call) {
      const auto lengths = *rc::gen::container<std::vector<std::size_t>>(
          *rc::gen::inRange<std::size_t>(0, 300),
          rc::gen::inRange<std::size_t>(0, *rc::gen::element<std::size_t>(200, 3000, 66000)));
      std::vector<ByteView> messages;
      for (std::size_t i = 0; i < lengths.size(); ++i) messages.push_back(ByteView(bytes).subspan(i, lengths[i]));
      std::vector<Digest> ids(messages.size());
      hasher.hash(messages, ids);
      for (std::size_t i = 0; i < messages.size(); ++i) RC_ASSERT(ids[i] == hmac_sha256(key, messages[i]));
    }
  }));
}

TEST(ChunkHasherDeathTest, RefusesAKeyOfAnotherLength) {
  EXPECT_DEATH(ChunkHasher(Bytes(31), CryptoBackend::kOpenssl), "32 bytes");
}

INSTANTIATE_TEST_SUITE_P(Backends, ChunkHasherTest, testing::ValuesIn(usable_crypto_backends()),
                         crypto_backend_test_name);

}  // namespace
}  // namespace drs
