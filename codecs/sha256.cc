#include "codecs/sha256.h"

#include <openssl/evp.h>

#include "codecs/allocated.h"

namespace drs {
namespace {

// Fetched once: a fetch by name takes locks and is slower than hashing a small message.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = allocated(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return algorithm;
}

}  // namespace

Digest sha256(ByteView bytes) {
  Digest digest;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data.data(), nullptr, sha256_algorithm(), nullptr);
  had_memory(done == 1);
  return digest;
}

struct Sha256::Context {
  EVP_MD_CTX* raw = allocated(EVP_MD_CTX_new());
  bool finished = false;
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(raw); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  reset();
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  DRS_ASSERT(!context_->finished, "update() after finish()");
  had_memory(EVP_DigestUpdate(context_->raw, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  DRS_ASSERT(!context_->finished, "finish() after finish()");
  Digest digest;
  had_memory(EVP_DigestFinal_ex(context_->raw, digest.data.data(), nullptr) == 1);
  context_->finished = true;
  return digest;
}

void Sha256::reset() {
  had_memory(EVP_DigestInit_ex2(context_->raw, sha256_algorithm(), nullptr) == 1);
  context_->finished = false;
}

}  // namespace drs
