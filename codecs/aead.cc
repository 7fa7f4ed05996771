#include "codecs/aead.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "codecs/aead_cipher.h"
#include "codecs/allocated.h"
#include "codecs/ipsec_mb.h"

namespace drs {
namespace {

EVP_CIPHER* gcm_algorithm() {
  static EVP_CIPHER* const algorithm = allocated(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  return algorithm;
}

// One OpenSSL context per call, so that several threads can share the key. OpenSSL clears the context when it is freed.
class GcmCall {
 public:
  enum class Direction : std::uint8_t { kDecrypt, kEncrypt };
  GcmCall(ByteView key, ByteView nonce, Direction direction) : context_(allocated(EVP_CIPHER_CTX_new())) {
    check(EVP_CipherInit_ex2(context_.get(), gcm_algorithm(), key.data(), nonce.data(),
                             direction == Direction::kEncrypt ? 1 : 0, nullptr));
  }

  // If `out` is null, `in` is additional authenticated data.
  void update(ByteView in, Byte* out) {
    while (!in.empty()) {
      const std::size_t step_bytes = std::min<std::size_t>(in.size(), std::size_t{1} << 30);  // OpenSSL counts in int
      int out_bytes = 0;
      check(EVP_CipherUpdate(context_.get(), out, &out_bytes, in.data(), static_cast<int>(step_bytes)));
      in = in.subspan(step_bytes);
      if (out != nullptr) out += step_bytes;
    }
  }
  void finish_encryption(MutableByteView tag) {
    check(finish());
    check(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag.data()));
  }
  [[nodiscard]] bool finish_decryption(ByteView tag) {
    Byte* const tag_bytes = const_cast<Byte*>(tag.data());  // OpenSSL only reads it
    check(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag_bytes));
    return finish() == 1;
  }

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  static void check(int done) { had_memory(done == 1); }
  int finish() {
    Byte nothing[16];
    int nothing_bytes = 0;
    return EVP_CipherFinal_ex(context_.get(), nothing, &nothing_bytes);
  }
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

class OpensslCipher final : public AeadCipher {
 public:
  explicit OpensslCipher(ByteView key) : key_(SecretBytes::copy_of(key)) {}

  void encrypt(ByteView nonce, ByteView aad, ByteView in, MutableByteView out, MutableByteView tag) const override {
    GcmCall call(key_.view(), nonce, GcmCall::Direction::kEncrypt);
    call.update(aad, nullptr);
    call.update(in, out.data());
    call.finish_encryption(tag);
  }

  bool decrypt(ByteView nonce, ByteView aad, ByteView in, ByteView tag, MutableByteView out) const override {
    GcmCall call(key_.view(), nonce, GcmCall::Direction::kDecrypt);
    call.update(aad, nullptr);
    call.update(in, out.data());
    return call.finish_decryption(tag);
  }

 private:
  SecretBytes key_;
};

}  // namespace

Aead::Aead(ByteView key, CryptoBackend backend) {
  DRS_ASSERT(key.size() == kAeadKeyBytes, "an AES-256 key has 32 bytes");
  if (backend == CryptoBackend::kIpsecMb) {
    cipher_ = make_ipsec_mb_cipher(key);
  } else {
    cipher_ = std::make_unique<OpensslCipher>(key);
  }
}
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;
Aead::~Aead() = default;

void Aead::seal(ByteView nonce, ByteView aad, ByteView plain, MutableByteView out) const {
  DRS_ASSERT(nonce.size() == kAeadNonceBytes, "a nonce has 12 bytes");
  DRS_ASSERT(out.size() == plain.size() + kAeadTagBytes, "sealed bytes are 16 longer than plain ones");
  cipher_->encrypt(nonce, aad, plain, out.first(plain.size()), out.subspan(plain.size()));
}

Result<void> Aead::open(ByteView nonce, ByteView aad, ByteView sealed, MutableByteView plain_out) const {
  DRS_ASSERT(nonce.size() == kAeadNonceBytes, "a nonce has 12 bytes");
  if (sealed.size() < kAeadTagBytes) return Error(ErrorCode::kTruncated, "sealed bytes are shorter than their tag");
  const std::size_t plain_bytes = sealed.size() - kAeadTagBytes;
  DRS_ASSERT(plain_out.size() == plain_bytes, "sealed bytes are 16 longer than plain ones");
  if (!cipher_->decrypt(nonce, aad, sealed.first(plain_bytes), sealed.subspan(plain_bytes), plain_out)) {
    wipe(plain_out);
    return Error(ErrorCode::kCorrupt, "authentication tag does not match");
  }
  return {};
}

}  // namespace drs
