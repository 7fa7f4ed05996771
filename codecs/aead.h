// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags: seals every block, table and manifest.
// The caller must never use a nonce twice with the same key.
#pragma once

#include <cstddef>
#include <memory>

#include "codecs/crypto_backend.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;

class AeadCipher;

// Holds one key and wipes it on destruction. Construction is cheap enough for a key per pack: 0.2 us for ipsec-mb's key
// schedule (1 KiB), nothing for OpenSSL, which expands the key in every call (0.4 us). seal() and open() are
// thread-safe: they only read the key and keep all other state on the stack or in a context per call.
class Aead {
 public:
  // `key` has kAeadKeyBytes and is borrowed. Asserts that ipsec-mb is usable if `backend` is kIpsecMb.
  Aead(ByteView key, CryptoBackend backend);
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;
  ~Aead();

  // Writes the ciphertext followed by its tag to `out`, which has plain.size() + kAeadTagBytes. `out` may begin exactly
  // at plain.data() (sealing in place); any other overlap is forbidden. `plain` and `aad` may be empty.
  void seal(ByteView nonce, ByteView aad, ByteView plain, MutableByteView out) const;

  // Writes the plaintext to `plain_out`, which has sealed.size() - kAeadTagBytes and may begin exactly at
  // sealed.data(). Errors: kTruncated if `sealed` is shorter than a tag; kCorrupt if the tag does not match (compared
  // in constant time). On kCorrupt plain_out is wiped; when opening in place, this destroys the ciphertext.
  Result<void> open(ByteView nonce, ByteView aad, ByteView sealed, MutableByteView plain_out) const;

 private:
  std::unique_ptr<AeadCipher> cipher_;
};

}  // namespace drs
