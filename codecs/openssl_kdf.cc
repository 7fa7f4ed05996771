#include "codecs/openssl_kdf.h"

#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

namespace drs {

bool openssl_kdf(const char* name, const OSSL_PARAM* parameters, MutableByteView out) {
  struct Free {
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
  };
  const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, name, nullptr));
  if (kdf == nullptr) return false;
  const std::unique_ptr<EVP_KDF_CTX, Free> context(EVP_KDF_CTX_new(kdf.get()));
  return context != nullptr && EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1;
}

OSSL_PARAM kdf_bytes(const char* key, ByteView bytes) {
  static Byte nowhere = 0;  // an empty string needs a non-null pointer
  Byte* const start = bytes.empty() ? &nowhere : const_cast<Byte*>(bytes.data());
  return OSSL_PARAM_construct_octet_string(key, start, bytes.size());
}

}  // namespace drs
