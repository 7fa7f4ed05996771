// Segments of the stream on their way through push, and the blocks made of them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/format/kinds.h"
#include "io/buffer_pool.h"

namespace drs {

// A stretch of the stream, cut into chunks. Held by whoever still needs its bytes; the last one to let go returns the
// buffer.
struct Segment {
  PooledBuffer buffer;
  std::uint64_t stream_offset_bytes = 0;
  ByteView data;  // whole chunks end to end, within `buffer`
  std::vector<std::uint16_t> chunk_bytes;
  std::vector<ChunkId> ids;  // once hashed
  bool hashed = false;       // under the scheduler's mutex
};

// A block on its way to be compressed and sealed.
struct BlockJob {
  std::uint64_t counter = 0;
  BlockKind kind = BlockKind::kData;
  ByteView plain;
  std::shared_ptr<const std::vector<ChunkEntry>> chunks;  // data blocks
  // What keeps `plain` alive: one of these.
  std::shared_ptr<Segment> segment;
  PooledBuffer gathered;
  Bytes owned;
};

}  // namespace drs
