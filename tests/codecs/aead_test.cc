#include "codecs/aead.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <thread>

#include "tests/codecs/test_backends.h"
#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

class AeadTest : public testing::TestWithParam<CryptoBackend> {};

Bytes seal(const Aead& aead, ByteView nonce, ByteView aad, ByteView plain) {
  Bytes sealed(plain.size() + kAeadTagBytes);
  aead.seal(nonce, aad, plain, sealed);
  return sealed;
}

struct Vector {
  std::string_view key;
  std::string_view nonce;
  std::string_view plain;
  std::string_view aad;
  std::string_view cipher;
  std::string_view tag;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation" (the submission to NIST behind SP 800-38D), appendix B: test
// cases 13 to 16, for AES-256 with 96-bit nonces.
const Vector kVectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a637b391aafd255",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST_P(AeadTest, GivesThePublishedCiphertexts) {
  for (const Vector& vector : kVectors) {
    const Aead aead(bytes_from_hex(vector.key), GetParam());
    const Bytes nonce = bytes_from_hex(vector.nonce);
    const Bytes aad = bytes_from_hex(vector.aad);
    const Bytes plain = bytes_from_hex(vector.plain);
    const Bytes sealed = seal(aead, nonce, aad, plain);
    EXPECT_EQ(to_hex(sealed), std::string(vector.cipher) + std::string(vector.tag));
    Bytes opened(plain.size());
    EXPECT_TRUE(aead.open(nonce, aad, sealed, opened).ok());
    EXPECT_EQ(opened, plain);
  }
}

TEST_P(AeadTest, AgreesWithOpensslForAnySizes) {
  const Bytes bytes = pseudo_random_bytes(20000, 6);
  EXPECT_TRUE(rc::check([&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const Bytes key = pseudo_random_bytes(kAeadKeyBytes, seed);
    const Bytes nonce = pseudo_random_bytes(kAeadNonceBytes, seed + 1);
    const ByteView plain =
        ByteView(bytes).subspan(*rc::gen::inRange<std::size_t>(0, 64), *rc::gen::inRange<std::size_t>(0, 10000));
    const ByteView aad =
        ByteView(bytes).subspan(*rc::gen::inRange<std::size_t>(0, 64), *rc::gen::inRange<std::size_t>(0, 500));
    const Bytes sealed = seal(Aead(key, GetParam()), nonce, aad, plain);
    RC_ASSERT(sealed == seal(Aead(key, CryptoBackend::kOpenssl), nonce, aad, plain));
    Bytes opened(plain.size());
    RC_ASSERT(Aead(key, GetParam()).open(nonce, aad, sealed, opened).ok());
    RC_ASSERT(std::equal(opened.begin(), opened.end(), plain.begin(), plain.end()));
  }));
}

TEST_P(AeadTest, SealsAndOpensInPlace) {
  const Aead aead(pseudo_random_bytes(kAeadKeyBytes, 7), GetParam());
  const Bytes nonce(kAeadNonceBytes, 1);
  const Bytes plain = pseudo_random_bytes(kMiB + 5, 8);
  Bytes buffer = plain;
  buffer.resize(plain.size() + kAeadTagBytes);
  const MutableByteView body = MutableByteView(buffer).first(plain.size());
  aead.seal(nonce, as_bytes("aad"), body, buffer);
  EXPECT_EQ(buffer, seal(aead, nonce, as_bytes("aad"), plain));
  EXPECT_TRUE(aead.open(nonce, as_bytes("aad"), buffer, body).ok());
  EXPECT_TRUE(std::equal(body.begin(), body.end(), plain.begin()));
}

TEST_P(AeadTest, RefusesAndWipesWhenAnySingleBitIsFlipped) {
  const Aead aead(pseudo_random_bytes(kAeadKeyBytes, 9), GetParam());
  const Bytes nonce = pseudo_random_bytes(kAeadNonceBytes, 10);
  const Bytes aad = pseudo_random_bytes(20, 11);
  const Bytes plain = pseudo_random_bytes(37, 12);
  const Bytes sealed = seal(aead, nonce, aad, plain);
  const auto expect_refused = [&](ByteView used_nonce, ByteView used_aad, ByteView used_sealed) {
    Bytes opened(plain.size(), 0xEE);
    const Result<void> result = aead.open(used_nonce, used_aad, used_sealed, opened);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(opened, Bytes(plain.size(), 0));
  };
  const auto flipped = [](Bytes bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<Byte>(bytes[bit / 8] ^ (1U << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) expect_refused(nonce, aad, flipped(sealed, bit));
  for (std::size_t bit = 0; bit < aad.size() * 8; ++bit) expect_refused(nonce, flipped(aad, bit), sealed);
  for (std::size_t bit = 0; bit < nonce.size() * 8; ++bit) expect_refused(flipped(nonce, bit), aad, sealed);
}

TEST_P(AeadTest, RefusesAnotherKey) {
  const Bytes nonce(kAeadNonceBytes);
  const Bytes sealed = seal(Aead(Bytes(kAeadKeyBytes, 1), GetParam()), nonce, {}, as_bytes("secret"));
  Bytes opened(6);
  EXPECT_FALSE(Aead(Bytes(kAeadKeyBytes, 2), GetParam()).open(nonce, {}, sealed, opened).ok());
}

TEST_P(AeadTest, CallsLessThanATagTruncated) {
  const Aead aead(Bytes(kAeadKeyBytes), GetParam());
  const Result<void> result = aead.open(Bytes(kAeadNonceBytes), {}, Bytes(kAeadTagBytes - 1), {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kTruncated);
}

TEST_P(AeadTest, ServesSeveralThreadsAtOnce) {
  const Aead aead(pseudo_random_bytes(kAeadKeyBytes, 13), GetParam());
  const auto work = [&](std::uint64_t seed) {
    for (std::uint64_t i = 0; i < 200; ++i) {
      const Bytes nonce = pseudo_random_bytes(kAeadNonceBytes, seed + i);
      const Bytes plain = pseudo_random_bytes(1000 + i, seed + i);
      Bytes opened(plain.size());
      const Bytes sealed = seal(aead, nonce, nonce, plain);
      ASSERT_TRUE(aead.open(nonce, nonce, sealed, opened).ok());
      ASSERT_EQ(opened, plain);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed * 1000);
  for (std::thread& thread : threads) thread.join();
}

TEST(AeadDeathTest, RefusesKeysAndNoncesOfOtherLengths) {
  EXPECT_DEATH(Aead(Bytes(16), CryptoBackend::kOpenssl), "32 bytes");
  Bytes out(kAeadTagBytes);
  EXPECT_DEATH(Aead(Bytes(32), CryptoBackend::kOpenssl).seal(Bytes(16), {}, {}, out), "12 bytes");
}

INSTANTIATE_TEST_SUITE_P(Backends, AeadTest, testing::ValuesIn(usable_crypto_backends()), crypto_backend_test_name);

}  // namespace
}  // namespace drs
