#include "codecs/openssl_hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "codecs/allocated.h"

namespace drs {
namespace {

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = allocated(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  return algorithm;
}

}  // namespace

void OpensslHmac::Free::operator()(EVP_MAC_CTX* context) const {
  EVP_MAC_CTX_free(context);
}

OpensslHmac::OpensslHmac(ByteView key) : context_(allocated(EVP_MAC_CTX_new(hmac_algorithm()))) {
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                                   OSSL_PARAM_construct_end()};
  // A null key would mean "keep the previous key", so an empty key needs a non-null pointer.
  const Byte nowhere = 0;
  const Byte* const key_bytes = key.empty() ? &nowhere : key.data();
  had_memory(EVP_MAC_init(context_.get(), key_bytes, key.size(), parameters) == 1);
}

Digest OpensslHmac::compute(ByteView message) {
  Digest digest;
  std::size_t digest_bytes = 0;
  const bool done = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
                    EVP_MAC_update(context_.get(), message.data(), message.size()) == 1 &&
                    EVP_MAC_final(context_.get(), digest.data.data(), &digest_bytes, Digest::kBytes) == 1;
  had_memory(done && digest_bytes == Digest::kBytes);
  return digest;
}

}  // namespace drs
