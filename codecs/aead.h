// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags: how every block, table and manifest is sealed.
// The caller answers for nonces: the same key must never see one twice.
#pragma once

#include <cstddef>
#include <memory>

#include "codecs/crypto_backend.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;

class AeadCipher;

// One key, wiped when destroyed. Making one is cheap enough for a key per pack: 0.2 us for ipsec-mb's schedule (1 KiB),
// nothing for OpenSSL, which makes its schedule anew in every call (0.4 us). seal() and open() may run on several
// threads at once: they only read the key and keep all else on the stack or in a context of their own.
class Aead {
 public:
  // `key` is kAeadKeyBytes long, borrowed. Asking for ipsec-mb where best_crypto_backend() would not is an assertion
  // failure.
  Aead(ByteView key, CryptoBackend backend);
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;
  ~Aead();

  // Writes the ciphertext and then its tag to `out`, which is plain.size() + kAeadTagBytes long. `out` may begin
  // exactly at plain.data() (sealing in place); any other overlap is forbidden. `plain` and `aad` may be empty.
  void seal(ByteView nonce, ByteView aad, ByteView plain, MutableByteView out) const;

  // Writes the plaintext to `plain_out`, which is sealed.size() - kAeadTagBytes long and may begin exactly at
  // sealed.data(). Errors: kTruncated if `sealed` is shorter than a tag; kCorrupt if the tag does not match (compared
  // in constant time): then plain_out is wiped, and in place the ciphertext is gone with it.
  Result<void> open(ByteView nonce, ByteView aad, ByteView sealed, MutableByteView plain_out) const;

 private:
  std::unique_ptr<AeadCipher> cipher_;
};

}  // namespace drs
