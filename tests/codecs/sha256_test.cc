#include "codecs/sha256.h"

#include <gtest/gtest.h>

#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

struct Vector {
  std::string message;
  std::string digest_hex;
};

// FIPS 180-4's examples, from NIST's "SHA256.pdf" (Example Values) and SHA-2 additional vectors.
const Vector kVectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

TEST(Sha256, GivesThePublishedDigests) {
  for (const Vector& vector : kVectors) EXPECT_EQ(sha256(as_bytes(vector.message)).hex(), vector.digest_hex);
}

TEST(Sha256, GivesTheSameDigestForAnyPieces) {
  const Bytes message = pseudo_random_bytes(10000, 1);
  for (const std::size_t piece_bytes : {1U, 63U, 64U, 65U, 4096U, 10000U}) {
    Sha256 hash;
    for (std::size_t at = 0; at < message.size(); at += piece_bytes) {
      hash.update(ByteView(message).subspan(at, std::min(piece_bytes, message.size() - at)));
    }
    EXPECT_EQ(hash.finish(), sha256(message)) << piece_bytes;
  }
}

TEST(Sha256, StartsOverAfterResetAlsoInTheMiddle) {
  Sha256 hash;
  hash.update(as_bytes("rubbish"));
  hash.reset();
  hash.update(as_bytes("abc"));
  EXPECT_EQ(hash.finish(), sha256(as_bytes("abc")));
  hash.reset();
  EXPECT_EQ(hash.finish(), sha256({}));
}

TEST(Sha256, KeepsItsStateWhenMoved) {
  Sha256 hash;
  hash.update(as_bytes("a"));
  Sha256 moved = std::move(hash);
  moved.update(as_bytes("bc"));
  EXPECT_EQ(moved.finish(), sha256(as_bytes("abc")));
}

TEST(Sha256DeathTest, RefusesToGoOnAfterFinish) {
  Sha256 hash;
  (void)hash.finish();
  EXPECT_DEATH(hash.update(as_bytes("x")), "after finish");
}

}  // namespace
}  // namespace drs
