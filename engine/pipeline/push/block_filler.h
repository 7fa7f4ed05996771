// Fills the blocks of a BlockWriter with what a stream consists of. Threads: one thread at a time.
#pragma once

#include <cstdint>

#include "engine/pipeline/push/block_writer.h"

namespace drs {

class BlockFiller {
 public:
  // `blocks` outlives the filler.
  explicit BlockFiller(BlockWriter& blocks) : blocks_(blocks) {}

  // Takes the next `bytes` bytes of the stream, at most kWholeBlockBytesMax, all in one block. The caller fills the
  // result before the next call. Errors of all: BlockWriter's.
  Result<MutableByteView> take(std::size_t bytes);
  // Appends bytes that may be divided among blocks.
  Result<void> write(ByteView bytes);
  // Appends bytes, all in one block if they fit into one: then a reader needs one block for them.
  Result<void> write_together(ByteView bytes);
  // Ends the current block.
  Result<void> flush();
  // The length of the stream so far.
  [[nodiscard]] std::uint64_t place() const { return blocks_.stream_bytes() + filled_bytes_; }

 private:
  BlockWriter& blocks_;
  PooledBuffer buffer_;
  std::size_t filled_bytes_ = 0;
};

}  // namespace drs
