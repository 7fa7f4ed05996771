// SHA-256 (FIPS 180-4): names of packs, digests of streams, trailers of objects. Computed by OpenSSL.
#pragma once

#include <memory>

#include "io/base/bytes.h"

namespace drs {

Digest sha256(ByteView bytes);

// SHA-256 of bytes that arrive in pieces. One instance, one thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(ByteView bytes);
  // The digest of all bytes since construction or reset(). Afterwards only reset() may be called.
  Digest finish();
  // Starts over, keeping the context.
  void reset();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace drs
