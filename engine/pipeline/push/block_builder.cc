#include "engine/pipeline/push/block_builder.h"

#include <algorithm>
#include <cstring>

namespace drs {

bool BlockBuilder::add_run(const std::shared_ptr<Segment>& segment, std::size_t first, std::size_t last,
                           std::size_t offset_bytes, std::vector<ChunkPlace>& places) {
  const auto bytes_of = [&](std::size_t chunk) { return std::size_t{segment->chunk_bytes[chunk]}; };
  while (first < last) {
    std::size_t end = first;
    std::size_t bytes = 0;
    while (end < last && bytes + bytes_of(end) <= kBlockBytesMax) bytes += bytes_of(end++);
    const ByteView run = segment->data.subspan(offset_bytes, bytes);
    if (bytes >= kDirectBytesMin) {
      BlockJob job;
      const BlockId id = ids_.next();
      job.counter = id.counter;
      job.plain = run;
      job.segment = segment;
      auto chunks = std::make_shared<std::vector<ChunkEntry>>();
      chunks->reserve(end - first);
      std::uint32_t at = 0;
      for (std::size_t i = first; i < end; ++i) {
        places[i] = {id, static_cast<std::uint32_t>(i - first), at};
        chunks->push_back({segment->ids[i], segment->chunk_bytes[i]});
        at += segment->chunk_bytes[i];
      }
      job.chunks = std::move(chunks);
      new_bytes_ += bytes;
      emit_(std::move(job));
    } else {
      std::size_t at = 0;
      for (std::size_t i = first; i < end; ++i) {
        if (!gather(*segment, i, run.subspan(at, bytes_of(i)), places[i])) return false;
        at += bytes_of(i);
      }
    }
    offset_bytes += bytes;
    first = end;
  }
  return true;
}

bool BlockBuilder::gather(const Segment& segment, std::size_t chunk, ByteView bytes, ChunkPlace& place) {
  if (gathering_.buffer && gathering_.bytes + bytes.size() > kBlockBytesMax) flush();
  if (!gathering_.buffer) {
    gathering_.buffer = acquire_();
    if (!gathering_.buffer) return false;
    gathering_.id = ids_.next();
  }
  std::memcpy(gathering_.buffer.bytes().data() + gathering_.bytes, bytes.data(), bytes.size());
  copied_bytes_ += bytes.size();
  new_bytes_ += bytes.size();
  place = {gathering_.id, static_cast<std::uint32_t>(gathering_.chunks.size()),
           static_cast<std::uint32_t>(gathering_.bytes)};
  gathering_.chunks.push_back({segment.ids[chunk], segment.chunk_bytes[chunk]});
  gathering_.bytes += bytes.size();
  return true;
}

void BlockBuilder::flush() {
  if (!gathering_.buffer) return;
  BlockJob job;
  job.counter = gathering_.id.counter;
  job.plain = gathering_.buffer.bytes().first(gathering_.bytes);
  job.gathered = std::move(gathering_.buffer);
  job.chunks = std::make_shared<const std::vector<ChunkEntry>>(std::move(gathering_.chunks));
  gathering_ = {};
  emit_(std::move(job));
}

}  // namespace drs
