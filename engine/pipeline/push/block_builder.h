// Turns the new chunks of each segment, in order, into blocks. A long run of new chunks becomes a block in place, in
// the segment's buffer; shorter runs are gathered in a buffer first. Threads: one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/pipeline/push/recipe_builder.h"
#include "engine/pipeline/push/segment.h"

namespace drs {

class BlockBuilder {
 public:
  // `acquire` returns a buffer of kBlockBytesMax for gathering, or an empty PooledBuffer once the push has failed.
  // `emit` receives each finished block.
  BlockBuilder(BlockIds& ids, std::function<PooledBuffer()> acquire, std::function<void(BlockJob)> emit)
      : ids_(ids), acquire_(std::move(acquire)), emit_(std::move(emit)) {}

  // Adds the new chunks [first, last) of `segment`, whose bytes begin at `offset_bytes` of its data. Writes their
  // places. Returns false if the push has failed.
  bool add_run(const std::shared_ptr<Segment>& segment, std::size_t first, std::size_t last, std::size_t offset_bytes,
               std::vector<ChunkPlace>& places);
  // Emits the block being gathered, if any.
  void flush();
  // The block being gathered, if any.
  [[nodiscard]] std::optional<BlockId> gathering_id() const {
    return gathering_.buffer ? std::optional(gathering_.id) : std::nullopt;
  }
  [[nodiscard]] std::uint64_t copied_bytes() const { return copied_bytes_; }
  [[nodiscard]] std::uint64_t new_bytes() const { return new_bytes_; }

 private:
  // A run at least this long becomes a block of its own; shorter runs are gathered.
  static constexpr std::size_t kDirectBytesMin = kBlockBytesMax / 2;
  struct Gathering {
    PooledBuffer buffer;
    BlockId id;
    std::size_t bytes = 0;
    std::vector<ChunkEntry> chunks;
  };
  bool gather(const Segment& segment, std::size_t chunk, ByteView bytes, ChunkPlace& place);

  BlockIds& ids_;
  std::function<PooledBuffer()> acquire_;
  std::function<void(BlockJob)> emit_;
  Gathering gathering_;
  std::uint64_t copied_bytes_ = 0;
  std::uint64_t new_bytes_ = 0;
};

}  // namespace drs
