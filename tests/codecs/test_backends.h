// The crypto backends usable on this machine, for parameterised tests: OpenSSL, and ipsec-mb if usable.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codecs/crypto_backend.h"

namespace drs {

inline std::vector<CryptoBackend> usable_crypto_backends() {
  std::vector<CryptoBackend> backends = {CryptoBackend::kOpenssl};
  if (best_crypto_backend() == CryptoBackend::kIpsecMb) backends.push_back(CryptoBackend::kIpsecMb);
  return backends;
}

inline std::string crypto_backend_test_name(const testing::TestParamInfo<CryptoBackend>& test) {
  return test.param == CryptoBackend::kIpsecMb ? "IpsecMb" : "Openssl";
}

}  // namespace drs
