#include "codecs/crypto_backend.h"

#include <openssl/crypto.h>

#include "codecs/ipsec_mb.h"

namespace drs {

CryptoBackend best_crypto_backend() {
  return ipsec_mb_usable() ? CryptoBackend::kIpsecMb : CryptoBackend::kOpenssl;
}

std::string_view crypto_backend_name(CryptoBackend backend) {
  return backend == CryptoBackend::kIpsecMb ? "ipsec-mb" : "openssl";
}

std::string crypto_library_versions() {
  std::string versions = OpenSSL_version(OPENSSL_VERSION);
  if (const std::string ipsec_mb = ipsec_mb_version(); !ipsec_mb.empty()) versions += ", " + ipsec_mb;
  return versions;
}

}  // namespace drs
