// XXH3-128 (xxHash 0.8): a fast unkeyed checksum of plaintext, against bad memory and bad code. Not against an
// attacker.
//
// Stored form: the low 64 bits, then the high 64 bits, each little-endian. That is how XXH128_hash_t lies in memory
// here; it is NOT xxHash's canonical form (big-endian, high half first), which `xxhsum -H2` prints: that is these 16
// bytes reversed.
#pragma once

#include <memory>

#include "io/bytes.h"

namespace drs {

using Xxh3Digest = FixedBytes<16>;

// Seed 0. Any thread.
Xxh3Digest xxh3_128(ByteView bytes);

// The same of bytes that arrive in pieces. One instance, one thread at a time.
class Xxh3Stream {
 public:
  Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;
  ~Xxh3Stream();

  void update(ByteView bytes);
  // The digest of everything so far; more may follow.
  [[nodiscard]] Xxh3Digest finish() const;
  // Starts over, keeping the state's memory.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drs
