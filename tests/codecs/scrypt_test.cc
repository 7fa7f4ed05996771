#include "codecs/scrypt.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

// RFC 7914, section 12, second and third vectors. The first has N = 16, which we refuse; the fourth needs 1 GiB.
TEST(Scrypt, GivesThePublishedKeys) {
  const Result<SecretBytes> second =
      scrypt(as_bytes("password"), as_bytes("NaCl"), {.log2_n = 10, .r = 8, .p = 16}, 64);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(
      to_hex(second->view()),
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee"
      "6d8360cbdfa2cc0640");
  const Result<SecretBytes> third =
      scrypt(as_bytes("pleaseletmein"), as_bytes("SodiumChloride"), {.log2_n = 14, .r = 8, .p = 1}, 64);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(
      to_hex(third->view()),
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e"
      "40dfcf017b45575887");
}

TEST(Scrypt, RunsWithItsDefaults) {
  const Result<SecretBytes> key = scrypt(as_bytes("passphrase"), as_bytes("salt"), {}, 32);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->size(), 32U);
}

TEST(Scrypt, TakesAnEmptyPassphraseAndSalt) {
  EXPECT_TRUE(scrypt({}, {}, {.log2_n = 10, .r = 1, .p = 1}, 32).ok());
}

TEST(Scrypt, RefusesAbsurdParametersBeforeAnyWork) {
  const ScryptParameters absurd[] = {
      {.log2_n = 9, .r = 8, .p = 1},   {.log2_n = 21, .r = 1, .p = 1},  {.log2_n = 255, .r = 8, .p = 1},
      {.log2_n = 17, .r = 0, .p = 1},  {.log2_n = 10, .r = 33, .p = 1}, {.log2_n = 17, .r = 0xFFFFFFFF, .p = 1},
      {.log2_n = 17, .r = 8, .p = 0},  {.log2_n = 10, .r = 8, .p = 17}, {.log2_n = 10, .r = 8, .p = 0xFFFFFFFF},
      {.log2_n = 20, .r = 9, .p = 1},  // 1 GiB and an eighth
      {.log2_n = 19, .r = 17, .p = 1},
  };
  for (const ScryptParameters& parameters : absurd) {
    const Result<SecretBytes> key = scrypt(as_bytes("passphrase"), as_bytes("salt"), parameters, 32);
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace drs
