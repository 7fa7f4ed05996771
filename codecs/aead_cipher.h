// AES-256-GCM by one library. Internal to codecs/: Aead checks all sizes before it calls this.
#pragma once

#include "io/base/bytes.h"

namespace drs {

// Thread-safe.
class AeadCipher {
 public:
  AeadCipher() = default;
  AeadCipher(const AeadCipher&) = delete;
  AeadCipher& operator=(const AeadCipher&) = delete;
  virtual ~AeadCipher() = default;

  // `out` has the size of `in` and either is the same memory or does not overlap it. `tag` receives the 16-byte tag.
  virtual void encrypt(ByteView nonce, ByteView aad, ByteView in, MutableByteView out, MutableByteView tag) const = 0;
  // Decrypts `in`. Returns whether `tag` matches; if not, the contents of `out` must not be used.
  [[nodiscard]] virtual bool decrypt(ByteView nonce, ByteView aad, ByteView in, ByteView tag,
                                     MutableByteView out) const = 0;
};

}  // namespace drs
