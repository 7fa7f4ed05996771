#include "bench/dedup_walk.h"

#include <algorithm>

namespace drs::bench {

Result<DedupWalk::Totals> DedupWalk::run(const std::vector<StreamChunk>& stream, std::uint64_t stream_offset_bytes) {
  Totals totals;
  const StoreWork before = objects_.work;
  for (std::size_t at = 0; at < stream.size(); at += kSegmentChunks) {
    const std::size_t count = std::min(kSegmentChunks, stream.size() - at);
    segment_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const StreamChunk& chunk = stream[at + i];
      // Numbers that no repository reaches make ids that none has.
      segment_[i].id = chunk.block == StreamChunk::kNew ? SyntheticObjects::chunk_id(UINT64_MAX / 128 - drawn_++, 0)
                                                        : SyntheticObjects::chunk_id(chunk.block, chunk.chunk);
    }
    DRS_RETURN_IF_ERROR(find_segment(
        stream_offset_bytes == kNowhere ? kNowhere : stream_offset_bytes + at * kSyntheticChunkBytes, totals));
    for (std::size_t i = 0; i < count; ++i) DRS_RETURN_IF_ERROR(judge(stream[at + i], segment_[i], totals));
  }
  totals.store.requests = objects_.work.requests - before.requests;
  totals.store.bytes = objects_.work.bytes - before.bytes;
  totals.store.spent = objects_.work.spent - before.spent;
  return totals;
}

Result<void> DedupWalk::find_segment(std::uint64_t stream_offset_bytes, Totals& totals) {
  const EngineTime time(objects_);
  if (stream_offset_bytes != kNowhere) dedup_.advance(stream_offset_bytes);
  for (Looked& looked : segment_) {
    DRS_ASSIGN_OR_RETURN(looked.answer, dedup_.find(looked.id, kSyntheticChunkBytes));
  }
  totals.spent += time.spent();
  return {};
}

Result<void> DedupWalk::judge(const StreamChunk& chunk, const Looked& looked, Totals& totals) {
  ++totals.chunks;
  const bool known = chunk.block != StreamChunk::kNew;
  if (known) ++totals.known;
  if (const auto& place = looked.answer.place) {
    if (!known) return Error(ErrorCode::kInternal, "a new chunk was found");
    if (place->block != objects_.block_id(chunk.block) || place->chunk != chunk.chunk ||
        place->offset_bytes != chunk.chunk * std::uint32_t{kSyntheticChunkBytes})
      return Error(ErrorCode::kInternal, "a chunk was found in the wrong place");
    return {};
  }
  if (known) ++(looked.answer.sparse ? totals.rewritten : totals.lost);
  store_new(looked.id, totals);
  return {};
}

void DedupWalk::store_new(const ChunkId& id, Totals& totals) {
  if (!block_) block_ = std::make_shared<std::vector<ChunkEntry>>();
  block_->push_back({id, kSyntheticChunkBytes});
  if (block_->size() < kBlockChunks) return;
  const EngineTime time(objects_);
  blocks_.add(counter_, block_);
  dedup_.add_block(counter_, block_);
  totals.spent += time.spent();
  ++counter_;
  block_ = nullptr;
}

}  // namespace drs::bench
