// Turns the new chunks of each segment, in order, into blocks: a long run of new chunks becomes a block where it lies
// in the segment, scattered ones are gathered in a buffer first. Threads: one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/pipeline/recipe_builder.h"
#include "engine/pipeline/segment.h"

namespace drs {

class BlockBuilder {
 public:
  // `acquire` yields an empty buffer of kBlockBytesMax for gathering; an empty one when the push has failed. `emit`
  // takes a finished block.
  BlockBuilder(const Uuid& session, std::function<PooledBuffer()> acquire, std::function<void(BlockJob)> emit)
      : session_(session), acquire_(std::move(acquire)), emit_(std::move(emit)) {}

  // The chunks [first, last) of `segment`, whose bytes begin at `offset_bytes` of its data, are new. Writes their
  // places. Returns false when the push has failed.
  bool add_run(const std::shared_ptr<Segment>& segment, std::size_t first, std::size_t last, std::size_t offset_bytes,
               std::vector<ChunkPlace>& places);
  // The gathered block, if any.
  void flush();
  // The block being gathered, if any.
  [[nodiscard]] std::optional<std::uint64_t> gathering_counter() const {
    return gathering_.buffer ? std::optional(gathering_.counter) : std::nullopt;
  }
  // A number for a block made elsewhere (recipes).
  std::uint64_t next_counter() { return counter_++; }
  [[nodiscard]] std::uint64_t copied_bytes() const { return copied_bytes_; }
  [[nodiscard]] std::uint64_t new_bytes() const { return new_bytes_; }

 private:
  // A run at least this long is worth a block of its own; shorter ones are gathered.
  static constexpr std::size_t kDirectBytesMin = kBlockBytesMax / 2;
  struct Gathering {
    PooledBuffer buffer;
    std::uint64_t counter = 0;
    std::size_t bytes = 0;
    std::vector<ChunkEntry> chunks;
  };
  bool gather(const Segment& segment, std::size_t chunk, ByteView bytes, ChunkPlace& place);

  const Uuid session_;
  std::function<PooledBuffer()> acquire_;
  std::function<void(BlockJob)> emit_;
  std::uint64_t counter_ = 0;
  Gathering gathering_;
  std::uint64_t copied_bytes_ = 0;
  std::uint64_t new_bytes_ = 0;
};

}  // namespace drs
