#include "codecs/rsa_signature.h"

#include <gtest/gtest.h>

#include "codecs/base64.h"
#include "tests/codecs/rsa_test_key.h"

namespace drs {
namespace {

constexpr const char* kEllipticKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHyF1uIXeQO+Gg0zR\n"
    "sNmWTefzCxzCMTz60gMlot5sGYihRANCAAQPYe/COUvpIfzmVTjnlt68EpAP23Ns\n"
    "6iOSTbWJg4rjy84WdlTzd9kkmrY/Rxs4Hn408zWu+CmI0pSUHHtN7jlE\n"
    "-----END PRIVATE KEY-----\n";

TEST(RsaSignature, GivesThePublishedSignature) {
  // RFC 7515, appendix A.2.1.
  const auto signature =
      sign_rsa_sha256(as_bytes(kRfc7515PrivateKey),
                      as_bytes("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                               "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"));
  ASSERT_TRUE(signature.ok()) << signature.error().message;
  EXPECT_EQ(to_base64_url(*signature),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
            "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
            "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
            "wlVmtVrBp0igcN_IoypGlUPQGe77Rw");
}

TEST(RsaSignature, RefusesWhatIsNoRsaKeyWithoutShowingIt) {
  std::string cut = kRfc7515PrivateKey;
  cut.resize(cut.size() / 2);
  // Protected by a passphrase: refused without a prompt.
  const std::string locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBO\n-----END ENCRYPTED PRIVATE KEY-----\n";
  for (const std::string& key : {std::string(), std::string("hunter2"), cut, locked, std::string(kEllipticKey)}) {
    const auto signature = sign_rsa_sha256(as_bytes(key), as_bytes("message"));
    ASSERT_FALSE(signature.ok());
    EXPECT_EQ(signature.error().code, ErrorCode::kUsage);
    EXPECT_EQ(signature.error().message.find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace drs
