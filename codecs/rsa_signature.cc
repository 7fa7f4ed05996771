#include "codecs/rsa_signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "codecs/allocated.h"

namespace drs {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Refuses a key protected by a passphrase; by default OpenSSL would prompt on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return -1;
}

Error unusable(const char* problem) {
  ERR_clear_error();
  return {ErrorCode::kUsage, problem};
}

}  // namespace

Result<Bytes> sign_rsa_sha256(ByteView pem, ByteView message) {
  const std::unique_ptr<BIO, FreeBio> file(allocated(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
  const std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) return unusable("the private key is not a PEM key without a passphrase");
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1) return unusable("the private key is not an RSA key");
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(allocated(EVP_MD_CTX_new()));
  std::size_t size = 0;
  if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1)
    return unusable("OpenSSL cannot sign with the private key");
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
    return unusable("OpenSSL cannot sign with the private key");
  signature.resize(size);
  return signature;
}

}  // namespace drs
