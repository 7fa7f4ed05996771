// HMAC-SHA-256 of many messages by one library. Internal to codecs/.
#pragma once

#include <span>

#include "io/base/bytes.h"

namespace drs {

// One instance, one thread.
class ChunkHashEngine {
 public:
  ChunkHashEngine() = default;
  ChunkHashEngine(const ChunkHashEngine&) = delete;
  ChunkHashEngine& operator=(const ChunkHashEngine&) = delete;
  virtual ~ChunkHashEngine() = default;

  // The spans have equal length.
  virtual void hash(std::span<const ByteView> messages, std::span<Digest> ids) = 0;
};

}  // namespace drs
