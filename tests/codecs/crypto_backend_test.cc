#include "codecs/crypto_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(CryptoBackend, NamesTheLibrariesThatItChose) {
  EXPECT_THAT(crypto_library_versions(), testing::StartsWith("OpenSSL 3."));
  const bool ipsec_mb = best_crypto_backend() == CryptoBackend::kIpsecMb;
  EXPECT_EQ(crypto_library_versions().find("ipsec-mb") != std::string::npos, ipsec_mb);
  EXPECT_EQ(crypto_backend_name(best_crypto_backend()), ipsec_mb ? "ipsec-mb" : "openssl");
}

}  // namespace
}  // namespace drs
