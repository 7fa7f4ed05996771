// XXH3-128 (xxHash 0.8): a fast unkeyed checksum of plaintext. Detects faulty memory and faulty code, not tampering.
//
// Stored form: the low 64 bits, then the high 64 bits, each little-endian, which is the memory layout of XXH128_hash_t
// here. It is NOT xxHash's canonical form (big-endian, high half first), which `xxhsum -H2` prints: that form is these
// 16 bytes in reverse order.
#pragma once

#include <memory>

#include "io/base/bytes.h"

namespace drs {

using Xxh3Digest = FixedBytes<16>;

// Uses seed 0. Thread-safe.
Xxh3Digest xxh3_128(ByteView bytes);

// The same for bytes that arrive in pieces. One instance, one thread at a time.
class Xxh3Stream {
 public:
  Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;
  ~Xxh3Stream();

  void update(ByteView bytes);
  // The digest of all bytes so far; more may follow.
  [[nodiscard]] Xxh3Digest finish() const;
  // Starts over, keeping the state's memory.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drs
