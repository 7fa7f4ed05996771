// Chunk ids: HMAC-SHA-256 of many messages with one key, several at a time in SIMD lanes.
#pragma once

#include <memory>
#include <span>

#include "codecs/crypto_backend.h"
#include "io/base/bytes.h"

namespace drs {

class ChunkHashEngine;

// Holds the key schedule and wipes it on destruction. One instance, one thread.
class ChunkHasher {
 public:
  // The longest message of ipsec-mb, due to its length field. OpenSSL hashes longer and empty messages: same result,
  // slower.
  static constexpr std::size_t kLaneMessageBytesMax = 65534;

  // `key` has 32 bytes and is borrowed. Asserts that ipsec-mb is usable if `backend` is kIpsecMb.
  ChunkHasher(ByteView key, CryptoBackend backend);
  ChunkHasher(ChunkHasher&&) noexcept;
  ChunkHasher& operator=(ChunkHasher&&) noexcept;
  ~ChunkHasher();

  // Sets ids[i] to the HMAC of messages[i]; the spans have equal length. Pass many messages (32 or more) of similar
  // length per call: lanes idle at the end of each call.
  void hash(std::span<const ByteView> messages, std::span<Digest> ids);

 private:
  std::unique_ptr<ChunkHashEngine> engine_;
};

}  // namespace drs
