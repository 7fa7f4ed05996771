#include "codecs/hmac_sha256.h"

#include <gtest/gtest.h>

#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

struct Vector {
  Bytes key;
  Bytes message;
  std::string mac_hex;
};

// RFC 4231, section 4: cases 1 to 4, 6 and 7 (case 5 truncates).
std::vector<Vector> rfc_4231_vectors() {
  return {
      {Bytes(20, 0x0B), bytes_of("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {bytes_of("Jefe"), bytes_of("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xAA), Bytes(50, 0xDD), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {bytes_from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), Bytes(50, 0xCD),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(131, 0xAA), bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, 0xAA),
       bytes_of("This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
                "be hashed before being used by the HMAC algorithm."),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
}

TEST(HmacSha256, GivesThePublishedMacs) {
  for (const Vector& vector : rfc_4231_vectors()) {
    EXPECT_EQ(hmac_sha256(vector.key, vector.message).hex(), vector.mac_hex);
  }
}

TEST(HmacSha256, TakesAnEmptyKeyAsZeros) {  // RFC 2104, section 2: keys are padded with zeros
  EXPECT_EQ(hmac_sha256({}, as_bytes("message")), hmac_sha256(Bytes(64, 0), as_bytes("message")));
  EXPECT_EQ(hmac_sha256({}, {}), hmac_sha256(Bytes(1, 0), {}));
}

}  // namespace
}  // namespace drs
