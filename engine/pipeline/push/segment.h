// Segments of the stream, and the blocks made of them, as they pass through the stages of a push.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/format/kinds.h"
#include "io/buffer_pool.h"

namespace drs {

// A stretch of the stream, cut into chunks. Every stage that still needs its bytes holds a reference; the last one to
// release it returns the buffer.
struct Segment {
  PooledBuffer buffer;
  std::uint64_t stream_offset_bytes = 0;
  ByteView data;  // complete chunks end to end, within `buffer`
  std::vector<std::uint16_t> chunk_bytes;
  std::vector<ChunkId> ids;  // once hashed
  bool hashed = false;       // under the mutex of PushWorkers
};

// Assigns ids to the blocks of one session. Threads: one thread at a time.
class BlockIds {
 public:
  explicit BlockIds(const Uuid& session) : session_(session) {}
  BlockId next() { return {session_, counter_++}; }

 private:
  const Uuid session_;
  std::uint64_t counter_ = 0;
};

// A block to be compressed and sealed.
struct BlockJob {
  std::uint64_t counter = 0;  // of the block's id; the stages know the session
  BlockKind kind = BlockKind::kData;
  ByteView plain;
  std::shared_ptr<const std::vector<ChunkEntry>> chunks;  // data blocks
  // One of these owns the bytes of `plain`.
  std::shared_ptr<Segment> segment;
  PooledBuffer gathered;
  Bytes owned;
};

}  // namespace drs
