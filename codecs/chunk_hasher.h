// Chunk ids: HMAC-SHA-256 of many messages under one key, as many at once as the CPU has lanes for.
#pragma once

#include <memory>
#include <span>

#include "codecs/crypto_backend.h"
#include "io/bytes.h"

namespace drs {

class ChunkHashEngine;

// Keeps the key schedule, which it wipes when destroyed. One instance, one thread.
class ChunkHasher {
 public:
  // With ipsec-mb, longer messages (its length field ends there) and empty ones are hashed by OpenSSL: same bytes,
  // slower.
  static constexpr std::size_t kLaneMessageBytesMax = 65534;

  // `key` is 32 bytes, borrowed. Asking for ipsec-mb where best_crypto_backend() would not is an assertion failure.
  ChunkHasher(ByteView key, CryptoBackend backend);
  ChunkHasher(ChunkHasher&&) noexcept;
  ChunkHasher& operator=(ChunkHasher&&) noexcept;
  ~ChunkHasher();

  // ids[i] becomes the HMAC of messages[i]; the two spans have equal length. Give it many messages of similar length
  // in one call (32 or more): lanes run dry at the end of each call.
  void hash(std::span<const ByteView> messages, std::span<Digest> ids);

 private:
  std::unique_ptr<ChunkHashEngine> engine_;
};

}  // namespace drs
