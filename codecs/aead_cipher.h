// AES-256-GCM as one library computes it. Internal to codecs/: Aead checks sizes first and compares tags itself.
#pragma once

#include "io/bytes.h"

namespace drs {

// Calls may run on several threads at once.
class AeadCipher {
 public:
  AeadCipher() = default;
  AeadCipher(const AeadCipher&) = delete;
  AeadCipher& operator=(const AeadCipher&) = delete;
  virtual ~AeadCipher() = default;

  // `out` is as long as `in` and equal to it or apart from it; `tag` is 16 bytes and receives the tag.
  virtual void encrypt(ByteView nonce, ByteView aad, ByteView in, MutableByteView out, MutableByteView tag) const = 0;
  // Decrypts `in` and says whether `tag` is its tag. If not, `out` holds bytes that nobody may use.
  [[nodiscard]] virtual bool decrypt(ByteView nonce, ByteView aad, ByteView in, ByteView tag,
                                     MutableByteView out) const = 0;
};

}  // namespace drs
